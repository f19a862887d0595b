import { expect, setDefaultTimeout, test } from 'bun:test'
import {
  accountOf,
  becomesReady,
  expectNotReady,
  expectRefused,
  grant,
  livez,
  logOut,
  me,
  refresh,
  revoke,
  type Sent,
  statusOf,
} from '../support/outage.ts'
import { hasPrograms } from '../support/programs.ts'
import { expectCleanLog } from '../support/server-log.ts'
import { type FaultyDisk, smallDisk, unwritableDisk } from '../support/small-disk.ts'

setDefaultTimeout(60_000)

const password = 'secret 1 of the owner'
const changed = 'secret 2 of the owner'
const ada = accountOf('ada', password)
const grace = accountOf('grace', password)

interface Disk {
  name: string
  make: () => Promise<FaultyDisk | undefined>
}
const disks: Disk[] = [
  { name: 'a disk that is full', make: smallDisk },
  { name: 'a disk that has become read-only', make: async () => unwritableDisk() },
]

test.skipIf(!hasPrograms('prlimit')).each(disks)(
  '$name: writes are refused, reads served, and everything recovers',
  async ({ make }) => {
    // If no small file system can be mounted, the other disk is tested twice.
    const disk = (await make()) ?? unwritableDisk()
    let keyward = await disk.start()
    const status = (sent: Sent) => statusOf(keyward, sent)
    try {
      expect(await status(ada.register)).toBe(201)
      const [used, spare, kept, unseen] = [
        await grant(keyward, ada.logIn),
        await grant(keyward, ada.logIn),
        await grant(keyward, ada.logIn),
        await grant(keyward, ada.logIn),
      ]
      expect(await status(me(used.access_token))).toBe(200)
      // This generation was not used yet, so that its first use would be written.
      const rotated = await grant(keyward, refresh(unseen.refresh_token))

      disk.fail(keyward)
      const rush = Array.from({ length: 24 }, (_, index) => `rush${index}`)
      const outcomes = await Promise.all(rush.map((username) => status(accountOf(username, password).register)))
      expect(outcomes.filter((outcome) => outcome !== 201 && outcome !== 503)).toEqual([])
      const writes: Sent[] = [
        grace.register,
        ada.logIn,
        refresh(spare.refresh_token),
        ['POST', '/token', { form: { grant_type: 'refresh_token', refresh_token: spare.refresh_token } }],
        ada.changePassword(used.access_token, changed),
        logOut(used.access_token),
        revoke(kept.refresh_token),
        ['DELETE', '/users/me/sessions?except=current', { token: used.access_token }],
      ]
      for (const write of writes) await expectRefused(keyward, 'database_unavailable', write)
      for (const token of [used.access_token, rotated.access_token])
        for (const path of ['/users/me', '/user/user', '/users/me/sessions', '/forward-auth'])
          expect([path, await status(['GET', path, { token }])]).toEqual([path, 200])
      expect(await status(me('kept.out.here'))).toBe(401)
      expect(await status(['GET', '/.well-known/jwks.json'])).toBe(200)
      expect(await status(livez)).toBe(200)
      await expectNotReady(keyward, 'Not ready: the database does not take writes')

      disk.recover(keyward)
      await becomesReady(keyward)
      // The refused requests left nothing behind.
      expect(await status(grace.logIn)).toBe(401)
      expect(await status(accountOf('ada', changed).logIn)).toBe(401)
      for (const [index, username] of rush.entries())
        expect([username, await status(accountOf(username, password).logIn)]).toEqual([
          username,
          outcomes[index] === 201 ? 200 : 401,
        ])
      for (const { access_token } of [used, spare, kept, rotated]) expect(await status(me(access_token))).toBe(200)
      expect(await status(refresh(spare.refresh_token))).toBe(200)
      expect(await status(grace.register)).toBe(201)
      expect(await status(ada.changePassword(used.access_token, changed))).toBe(204)
      expect(await status(me(kept.access_token))).toBe(401)
      expectCleanLog(keyward.output(), [password, changed])

      // What was answered meanwhile is there after a crash too.
      await keyward.stop()
      keyward = await disk.start()
      expect(await status(accountOf('ada', changed).logIn)).toBe(200)
      for (const [index, username] of rush.entries())
        expect([username, await status(accountOf(username, password).logIn)]).toEqual([
          username,
          outcomes[index] === 201 ? 200 : 401,
        ])

      // A stop works whatever the state of the disk.
      disk.fail(keyward)
      keyward.signal('SIGTERM')
      expect(await keyward.exited).toBe(0)
      expectCleanLog(keyward.output(), [password, changed])
    } finally {
      await keyward.stop()
      await disk.dispose()
    }
  },
)

test('12.C1 a disk with room for a small write, and none for a registration, is not ready', async () => {
  const disk = await smallDisk()
  // Where no small file system can be mounted, the test above has covered the refusals.
  if (disk === undefined) return
  const keyward = await disk.start()
  try {
    await becomesReady(keyward)
    // The shared result of the last check.
    await Bun.sleep(1_000)
    disk.fail(keyward, 6 * 4096)
    expect(await statusOf(keyward, ['GET', '/readyz'])).toBe(503)
    await expectRefused(keyward, 'database_unavailable', grace.register)
    expect(await statusOf(keyward, ['GET', '/readyz'])).toBe(503)
    disk.recover(keyward)
    await becomesReady(keyward)
    expect(await statusOf(keyward, grace.register)).toBe(201)
  } finally {
    await keyward.stop()
    await disk.dispose()
  }
})
