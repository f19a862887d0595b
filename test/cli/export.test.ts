import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessContext } from '../../src/cli/context.ts'
import { run } from '../../src/cli/run.ts'
import { createTestApp, type TestApp, testSecret } from '../support/app.ts'
import { keyward, migrated, processContext } from '../support/cli.ts'
import { type Dialect, describeEachDialect, dialects, migratedDatabase } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const password = 'correct horse battery'
/** More than bcrypt reads, and different before and after Unicode normalization. */
const long = `cafe\u0301 ${'0123456789'.repeat(8)} and more`

/** Users with every kind of password and every field. */
async function fill(app: TestApp): Promise<void> {
  const ada = await app.signUp('ada', password)
  await app.signUp('bea', long)
  await app.admin.giveRole(ada.id, 'admin')
  const shared = { createdAt: 1_600_000_000_123, isActive: true, emailVerifiedAt: 1_600_000_999_456, locale: null }
  const named = (name: string) => ({
    email: `${name}@x.de`,
    emailKey: `${name}@x.de`,
    username: name,
    usernameKey: name,
  })
  await app.admin.importUsers([
    {
      ...shared,
      ...named('django'),
      id: undefined,
      name: 'Dj 李 "\\',
      passwordHash: 'pbkdf2_sha256$1000$c2FsdHNhbHQ$x9hZ9TRoxk3yTpGpQbWz6DQF3nVx1mBG2n7zLHzYw7M=',
      passwordScheme: 'foreign',
      externalId: '5c3e-uuid',
      externalSource: 'supabase',
    },
    {
      ...shared,
      ...named('nobody'),
      id: 4_000,
      name: null,
      isActive: false,
      passwordHash: null,
      passwordScheme: null,
      externalId: null,
      externalSource: null,
      inactiveUntil: 4_000_000_000_000,
    },
    {
      ...shared,
      ...named('guest'),
      id: 4_001,
      name: null,
      passwordHash: null,
      passwordScheme: null,
      externalId: null,
      externalSource: null,
      invitedAt: 1_600_000_000_500,
    },
  ])
  await app.rows.roles.add({ name: 'editor', description: '', permissions: 'users:read', createdAt: 0 })
  for (const name of ['bea', 'guest']) await app.admin.giveRole((await app.admin.userNamed(name)).id, 'editor')
  await app.record({ event: 'user.deactivated', userId: 4_000, details: { reason: 'spam' } })
  await app.record({ event: 'user.deactivated', userId: 4_000, details: { reason: 'left us' } })
}

const usersOf = async (app: TestApp) =>
  (await app.rows.users.all()).map(({ sessionEpoch, deviceEpoch, updatedAt, ...user }) => user)

describeEachDialect('keyward export', (dialect: Dialect) => {
  test('14.6 an export with password hashes, imported elsewhere, is the same people, who log in', async () => {
    const app = await createTestApp({ dialect })
    await fill(app)
    const folder = scratchFolder('export')
    const file = join(folder, 'users.jsonl')
    const { databaseUrl, clock } = app
    const exported = await keyward(['export', '--to', file, '--with-password-hashes'], { databaseUrl, clock })
    expect(exported).toEqual({ code: 0, err: '', out: `Exported 5 users to ${file}.\n` })
    expect(statSync(file).mode & 0o777).toBe(0o600)

    const other = dialects.at(dialects.indexOf(dialect) - 1)!
    const { url } = await migratedDatabase(other)
    const words = ['import', '--from', file, '--trust-verified', '--trust-roles']
    // The role does not exist there yet, so nothing is imported.
    const importing = (...more: string[]) => keyward([...words, ...more], { databaseUrl: url, clock })
    const refused = await importing()
    expect([refused.code, refused.err.split('\n').slice(0, 2)]).toEqual([
      1,
      [
        'line 3, id 2, "bea": there is no role "editor" in Keyward',
        'line 5, id 4001, "guest": there is no role "editor" in Keyward',
      ],
    ])
    await keyward(['roles', 'create', 'editor', '--permissions', 'users:read'], { databaseUrl: url, clock })
    expect((await importing('--dry-run')).out).toContain('  3 roles would be granted\n')
    const imported = await importing()
    expect([imported.code, imported.err]).toEqual([0, ''])
    expect(imported.out).toContain('  3 roles were granted\n')
    expect(imported.out).toContain('Columns not imported: second_factors, updated_at, inactive_reason\n')
    const next = await createTestApp({ databaseUrl: url, clock })
    expect(await usersOf(next)).toEqual(await usersOf(app))
    const grantsOf = async ({ rows }: TestApp) =>
      (await rows.userRoles.all()).map(({ userId, role }) => `${userId} ${role}`).sort()
    expect(await grantsOf(next)).toEqual(await grantsOf(app))
    const granted = await next.rows.auditEvents.all({ event: 'role.granted' })
    expect(granted.map(({ userId, details }) => [userId, JSON.parse(details!)])).toEqual(
      [
        [1, 'admin'],
        [2, 'editor'],
        [4_001, 'editor'],
      ].map(([userId, role]) => [userId, { role, import: true }]),
    )
    expect(await next.rows.auditEvents.one({ event: 'users.imported' })).toMatchObject({
      details: '{"accounts":5,"highest_id":4002,"roles":3}',
    })
    // A role that was withdrawn since does not come back, and one that was granted since stays.
    await next.rows.userRoles.remove({ userId: 1 })
    await next.admin.giveRole(4_000, 'editor')
    for (const [username, typed, status] of [
      ['ada', password, 200],
      ['bea', long, 200],
      ['bea', long.slice(0, 72), 401],
    ] as const) {
      const answer = await next.request('POST', '/token', { form: { username, password: typed } })
      expect([username, answer.status]).toEqual([username, status])
    }
    // A second import adds nobody, and changes no role.
    const roles = await grantsOf(next)
    expect(roles).toEqual(['2 editor', '4000 editor', '4001 editor'])
    expect((await importing()).out).toContain('Imported 0 accounts')
    expect(await grantsOf(next)).toEqual(roles)
    expect(await app.rows.auditEvents.one({ event: 'users.exported' })).toMatchObject({
      details: '{"password_hashes":true}',
    })
    await next.close()
    await app.close()
  })

  test('14.6 an export prints a line about itself and one for each user, without password hashes', async () => {
    const app = await createTestApp({ dialect })
    await fill(app)
    const { code, out, err } = await keyward(['export'], { databaseUrl: app.databaseUrl, clock: app.clock })
    expect([code, err]).toEqual([0, ''])
    const [head, ...users] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const now = new Date(app.clock.now()).toISOString()
    expect(head).toEqual({ keyward_export: 1, exported_at: now, users: 5 })
    expect(users.map(({ username }) => username)).toEqual(['ada', 'bea', 'nobody', 'guest', 'django'])
    expect(users[0]).toEqual({
      id: 1,
      external_id: null,
      external_source: null,
      email: 'ada@example.com',
      email_verified: false,
      email_verified_at: null,
      username: 'ada',
      name: null,
      locale: null,
      roles: ['admin', 'user'],
      is_active: true,
      inactive_until: null,
      inactive_reason: null,
      invited_at: null,
      created_at: now,
      updated_at: expect.any(String),
      second_factors: [],
    })
    expect(users[2]).toMatchObject({
      is_active: false,
      inactive_until: '2096-10-02T07:06:40.000Z',
      inactive_reason: 'left us',
    })
    expect(users[3]).toMatchObject({ invited_at: '2020-09-13T12:26:40.500Z', roles: ['editor', 'user'] })
    expect(users[4]).toMatchObject({
      external_id: '5c3e-uuid',
      external_source: 'supabase',
      name: 'Dj 李 "\\',
      email_verified_at: '2020-09-13T12:43:19.456Z',
      created_at: '2020-09-13T12:26:40.123Z',
    })
    expect(out).not.toMatch(/\$2b|pbkdf2|password/)
    await app.close()
  })

  test('14.6 an export shows one moment: what others write meanwhile is not in it, and waits for nothing', async () => {
    const app = await createTestApp({ dialect })
    await app.admin.importUsers(
      Array.from({ length: 600 }, (_, at) => ({
        id: at + 1,
        email: `u${at}@x.de`,
        emailKey: `u${at}@x.de`,
        username: `user${at}`,
        usernameKey: `user${at}`,
        name: null,
        locale: null,
        passwordHash: null,
        passwordScheme: null,
        externalId: null,
        externalSource: null,
        emailVerifiedAt: null,
        isActive: true,
        createdAt: 1,
      })),
    )
    let out = ''
    let printed = 0
    const env = { DATABASE_URL: app.databaseUrl, SECRET_KEY: testSecret }
    const context: ProcessContext = processContext({
      env,
      print: (text) => {
        out += text
      },
      async delivered() {
        if (printed++ > 0) return undefined
        await app.signUp('later')
        await app.rows.users.change({ id: 600 }, { name: 'Changed' })
        await app.admin.deleteUser(599)
      },
    })
    expect(await run(['export'], context)).toBe(0)
    const users = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as { id: number; name: unknown })
    expect(users.map(({ id }) => id)).toEqual(Array.from({ length: 600 }, (_, at) => at + 1))
    expect(users.at(-1)!.name).toBeNull()
    expect(await app.rows.users.count()).toBe(600)
    // A reader that is gone ends the export.
    printed = 0
    expect(await run(['export'], { ...context, delivered: async () => (printed++ > 0 ? 'EPIPE' : undefined) })).toBe(1)
    expect(printed).toBe(2)
    await app.close()
  })
})

test('14.6 an export overwrites no file and shows no hash on a terminal; an import refuses a part or a newer one', async () => {
  const folder = scratchFolder('export')
  const at = (name: string) => join(folder, name)
  const databaseUrl = await migrated(`sqlite:///${at('keyward.db')}`)
  const app = await createTestApp({ databaseUrl })
  await app.signUp('ada')
  await app.close()
  writeFileSync(at('taken'), 'precious')
  const cli = (line: string, env: Record<string, string> = {}) => keyward(line.split(' '), { databaseUrl, env })
  expect(await cli(`export --to ${at('taken')}`)).toEqual({
    code: 1,
    out: '',
    err: `${at('taken')} exists already, and is not overwritten\n`,
  })
  expect(readFileSync(at('taken'), 'utf8')).toBe('precious')
  const none = await cli(`export --to ${at('none/users.jsonl')}`)
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/^Cannot open .*none\/users\.jsonl.*\(ENOENT\)/)])
  let err = ''
  const context = processContext({
    env: { DATABASE_URL: databaseUrl, SECRET_KEY: testSecret },
    printsToTerminal: () => true,
    printError: (text) => {
      err += text
    },
  })
  expect(await run(['export', '--with-password-hashes'], context)).toBe(2)
  expect(err).toStartWith('Password hashes are not shown on a terminal: name a file with --to')

  const { out } = await cli(`export --to ${at('users.jsonl')}`)
  expect(out).toContain('--with-password-hashes writes them too')
  const text = readFileSync(at('users.jsonl'), 'utf8')
  const [head = ''] = text.split('\n')
  writeFileSync(at('part.jsonl'), `${head}\n`)
  writeFileSync(at('newer.jsonl'), text.replace('"keyward_export":1', '"keyward_export":2'))
  const target = await migrated(`sqlite:///${at('other.db')}`)
  const importing = (name: string) => keyward(['import', '--from', at(name)], { databaseUrl: target })
  expect(await importing('part.jsonl')).toMatchObject({
    code: 1,
    err: 'The export is incomplete: it has 0 of 1 users\n',
  })
  expect((await importing('newer.jsonl')).err).toStartWith('The file is an export of a newer version of Keyward')
  expect((await importing('users.jsonl')).code).toBe(0)
  expect(existsSync(at('none'))).toBe(false)
})
