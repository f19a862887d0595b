import { expect, test } from 'bun:test'
import { HOUR, SECOND } from '../../src/lib/clock.ts'
import { audit } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { standIn } from '../support/replace.ts'

const register = (app: TestApp, email: string, username: string) =>
  app.request('POST', '/register', { json: { email, username, password: 'correct horse battery' } })

const fastapi = {
  JWT_ALG: 'HS256',
  JWT_SECRET: 'b3f1a2c4d5e6978877665544aabbccdde0f1a2b3c4d5e6f7',
  JWT_COMPAT: 'fastapi',
}

for (const [mode, env] of [
  ['', {}],
  [' with JWT_COMPAT=fastapi', fastapi],
] as const)
  describeApp(`the username of a deleted user${mode}`, { env }, (app) => {
    const cli = (...argv: string[]) =>
      keyward(['users', ...argv], { databaseUrl: app.databaseUrl, env, secret: 'correct horse battery' })

    test('12.A8 stays reserved in every spelling, until `keyward users free`; the address is free at once', async () => {
      const { id } = await app.signUp('Bob.Roe')
      expect((await cli('delete', 'Bob.Roe', '--yes')).code).toBe(0)
      for (const name of ['Bob.Roe', 'bob.roe', 'BOB.ROE'])
        await expectRefusal(await register(app, 'mallory@example.com', name), 'username_taken')
      const byAdmin = await cli('create', '--email', 'mallory@example.com', '--username', 'bob.roe')
      expect([byAdmin.code, byAdmin.err]).toEqual([1, 'Username already taken\n'])
      // Another name that only resembles it is free.
      expect((await register(app, 'boc@example.com', 'boc.roe')).status).toBe(201)
      const next = await register(app, 'bob.roe@example.com', 'another')
      expect(await next.json()).toMatchObject({ email: 'bob.roe@example.com', email_verified: false })

      expect(await cli('free', 'BOB.roe')).toMatchObject({ code: 0, out: 'Freed BOB.roe\n' })
      const again = await cli('free', 'bob.roe')
      expect([again.code, again.err]).toEqual([
        1,
        'This username is not reserved: no other user had it, or it is free already\n',
      ])
      const owner = await register(app, 'mallory@example.com', 'bob.roe')
      expect(owner.status).toBe(201)
      expect(((await owner.json()) as { id: number }).id).toBeGreaterThan(id)
      expect(await audit(app, 'username.freed')).toHaveLength(1)
    })

    test('12.A8 is given to nobody while many register it in the moment of the deletion', async () => {
      for (let round = 0; round < 5; round++) {
        const name = `bob${round}`
        const { id } = await app.signUp(name)
        const registrations = Array.from({ length: 6 }, (_, at) => register(app, `m${round}x${at}@example.com`, name))
        const [, ...answers] = await Promise.all([app.admin.deleteUser(id), ...registrations])
        expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(409))
        expect((await register(app, `m${round}@example.com`, name)).status).toBe(409)
        expect(await app.rows.users.count({ usernameKey: name })).toBe(0)
      }
    })

    test('12.A8 survives a change of SECRET_KEY and `keyward secrets renew`', async () => {
      const { id } = await app.signUp('bob')
      await app.admin.deleteUser(id)
      expect((await keyward(['secrets', 'renew', '--yes'], { databaseUrl: app.databaseUrl, env })).code).toBe(0)
      await app.process.pollSecrets()
      await expectRefusal(await register(app, 'mallory@example.com', 'bob'), 'username_taken')
    })
  })

describeApp('deletion of a user', { env: { RATE_LIMIT: 'on' } }, (app) => {
  test('12.A8 leaves nothing but the MAC of the name and the id in audit rows', async () => {
    const { id, grant } = await app.signUp('zebedee')
    await app.admin.giveRole(id, 'admin')
    const spare = await app.signUp('spare')
    await app.admin.giveRole(spare.id, 'admin')
    await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    const { sid } = JSON.parse(Buffer.from(grant.access_token.split('.')[1]!, 'base64url').toString()) as {
      sid: string
    }
    const peer = '203.0.113.77'
    for (const username of ['zebedee', 'zebedee@example.com'])
      await app.request('POST', '/token', { form: { username, password: 'wrong' }, peer })
    const stored = async () => {
      const rows: string[] = []
      for (const [table, { all }] of Object.entries(app.rows))
        for (const row of await all()) rows.push(`${table} ${JSON.stringify(row)}`)
      return rows
    }
    const traces = [
      /zebedee/i,
      new RegExp(sid),
      new RegExp(`limits .*/u${id}[@"]`),
      new RegExp(`"(userId|ownerId)":${id}\\b`),
    ]
    const found = async (trace: RegExp) => (await stored()).filter((row) => trace.test(row))
    for (const trace of traces) expect((await found(trace)).length).toBeGreaterThan(0)

    await app.admin.deleteUser(id)
    // For an hour clean-up looks for audit rows that requests under way may still write.
    await app.clock.advance(HOUR + SECOND)
    await app.process.cleanUp()
    const left = (await Promise.all(traces.map(found))).flat()
    expect([...new Set(left.map((row) => row.split(' ')[0]))]).toEqual(['auditEvents'])
    for (const row of left)
      expect(JSON.parse(row.slice(row.indexOf(' ')))).toMatchObject({ userId: id, sessionId: null, ip: null })
    expect(await app.rows.reservedNames.all()).toEqual([
      { mac: expect.stringMatching(/^[\w-]{43}$/), reservedAt: expect.any(Number), userId: null },
    ])
  })
})

const passwords = standIn<'passwords'>()

describeApp('a registration', { replace: { passwords: passwords.replacement } }, (app) => {
  test('12.A8 is refused when its username was taken and its owner deleted while the password was hashed', async () => {
    const inTheMeantime = async () => {
      passwords.restore()
      const { id } = await app.signUp('bob')
      await app.admin.deleteUser(id)
    }
    passwords.change((real) => ({
      async hash(...given) {
        await inTheMeantime()
        return real.hash(...given)
      },
    }))
    await expectRefusal(await register(app, 'mallory@example.com', 'bob'), 'username_taken')
    expect(await app.rows.users.all()).toEqual([])
  })
})
