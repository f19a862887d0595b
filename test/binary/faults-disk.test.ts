import { expect, setDefaultTimeout, test } from 'bun:test'
import type { RequestOptions } from '../support/app.ts'
import type { RunningBinary } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { expectCleanLog } from '../support/server-log.ts'
import { type FaultyDisk, smallDisk, unwritableDisk } from '../support/small-disk.ts'

setDefaultTimeout(60_000)

const password = 'secret 1 of the owner'
const changed = 'secret 2 of the owner'
const account = (username: string) => ({ email: `${username}@example.com`, username, password })

type Grant = Record<'access_token' | 'refresh_token' | 'device_token', string>
type Sent = [method: string, path: string, options: RequestOptions]

const register = (username: string): Sent => ['POST', '/register', { json: account(username) }]
const logIn = (username: string, as = password): Sent => ['POST', '/token', { form: { username, password: as } }]
const refresh = (refresh_token: string): Sent => ['POST', '/token/refresh', { json: { refresh_token } }]
const me = (token: string): Sent => ['GET', '/users/me', { token }]

const statusOf = async (keyward: RunningBinary, [method, path, options]: Sent) => {
  const response = await keyward.request(method, path, options)
  await response.body?.cancel()
  return response.status
}

async function grant(keyward: RunningBinary, [method, path, options]: Sent): Promise<Grant> {
  const response = await keyward.request(method, path, options)
  expect(response.status).toBe(200)
  return (await response.json()) as Grant
}

/** What every write has to say, and no other word for it: not 401, not 409, not 500. */
async function expectUnavailable(keyward: RunningBinary, [method, path, options]: Sent): Promise<void> {
  const response = await keyward.request(method, path, options)
  expect([method, path, response.status, response.headers.get('content-type')]).toEqual([
    method,
    path,
    503,
    'application/problem+json',
  ])
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await response.json()).toMatchObject({ status: 503, code: 'database_unavailable' })
}

interface Disk {
  name: string
  make: () => Promise<FaultyDisk | undefined>
}
const disks: Disk[] = [
  { name: 'a disk that is full', make: smallDisk },
  { name: 'a disk that has become read-only', make: async () => unwritableDisk() },
]

test.skipIf(!hasPrograms('prlimit')).each(disks)(
  '$name: writes are refused, reads served, and all is well afterwards',
  async ({ make }) => {
    // Where no small file system can be mounted, the other disk stands for both.
    const disk = (await make()) ?? unwritableDisk()
    let keyward = await disk.start()
    const status = (sent: Sent) => statusOf(keyward, sent)
    try {
      expect(await status(register('ada'))).toBe(201)
      const [used, spare, kept, unseen] = [
        await grant(keyward, logIn('ada')),
        await grant(keyward, logIn('ada')),
        await grant(keyward, logIn('ada')),
        await grant(keyward, logIn('ada')),
      ]
      expect(await status(me(used.access_token))).toBe(200)
      // Nothing was seen of this generation yet: its first sight would be noted.
      const rotated = await grant(keyward, refresh(unseen.refresh_token))

      disk.fail(keyward)
      const rush = Array.from({ length: 24 }, (_, index) => `rush${index}`)
      const outcomes = await Promise.all(rush.map((username) => status(register(username))))
      expect(outcomes.filter((outcome) => outcome !== 201 && outcome !== 503)).toEqual([])
      const writes: Sent[] = [
        register('grace'),
        logIn('ada'),
        refresh(spare.refresh_token),
        ['POST', '/token', { form: { grant_type: 'refresh_token', refresh_token: spare.refresh_token } }],
        [
          'PUT',
          '/users/me/password',
          { token: used.access_token, json: { current_password: password, new_password: changed } },
        ],
        ['POST', '/logout', { token: used.access_token }],
        ['POST', '/revoke', { form: { token: kept.refresh_token } }],
        ['DELETE', '/users/me/sessions?except=current', { token: used.access_token }],
      ]
      for (const write of writes) await expectUnavailable(keyward, write)
      for (const token of [used.access_token, rotated.access_token])
        for (const path of ['/users/me', '/user/user', '/users/me/sessions', '/forward-auth'])
          expect([path, await status(['GET', path, { token }])]).toEqual([path, 200])
      expect(await status(me('kept.out.here'))).toBe(401)
      expect(await status(['GET', '/.well-known/jwks.json', {}])).toBe(200)
      expect(await status(['GET', '/livez', {}])).toBe(200)
      const ready = await keyward.request('GET', '/readyz')
      expect([ready.status, await ready.json()]).toEqual([
        503,
        expect.objectContaining({ code: 'not_ready', detail: 'Not ready: the database does not take writes' }),
      ])

      disk.recover(keyward)
      expect(await status(['GET', '/readyz', {}])).toBe(200)
      // What was refused has left nothing behind.
      expect(await status(logIn('grace'))).toBe(401)
      expect(await status(logIn('ada', changed))).toBe(401)
      for (const [index, username] of rush.entries())
        expect([username, await status(logIn(username))]).toEqual([username, outcomes[index] === 201 ? 200 : 401])
      for (const { access_token } of [used, spare, kept, rotated]) expect(await status(me(access_token))).toBe(200)
      expect(await status(refresh(spare.refresh_token))).toBe(200)
      expect(await status(register('grace'))).toBe(201)
      expect(await status(writes.find(([method]) => method === 'PUT')!)).toBe(204)
      expect(await status(me(kept.access_token))).toBe(401)
      expectCleanLog(keyward.output(), [password, changed])

      // Also what was answered amid it is there after a crash.
      await keyward.stop()
      keyward = await disk.start()
      expect(await status(logIn('ada', changed))).toBe(200)
      for (const [index, username] of rush.entries())
        expect([username, await status(logIn(username))]).toEqual([username, outcomes[index] === 201 ? 200 : 401])

      // A stop is in order whatever the disk is like.
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
