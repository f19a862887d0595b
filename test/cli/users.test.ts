import { beforeEach, expect, test } from 'bun:test'
import { createTestApp, type TestApp, testSecret } from '../support/app.ts'
import { runBinary } from '../support/binary.ts'
import { type CliResult, keyward, migrated } from '../support/cli.ts'
import { manualClock } from '../support/clock.ts'
import { type Dialect, describeEachDialect } from '../support/dialects.ts'

const password = 'correct horse battery'

/** A command line on a new database, and a server on the same database. */
async function openStage(dialect: Dialect) {
  const database = await dialect.databaseUrl()
  await migrated(database.url)
  const clock = manualClock()
  const env = { BCRYPT_COST: '4', HASH_NICE: '0', RATE_LIMIT: 'off' }
  const run = (line: string, secret = password, more: Record<string, string> = {}): Promise<CliResult> =>
    keyward([...line.split(' '), '--dev'], {
      databaseUrl: database.url,
      clock,
      secret,
      seed: line,
      env: { ...env, ...more },
    })
  const server = () => createTestApp({ databaseUrl: database.url, clock })
  return { database, clock, run, server }
}

const login = async (app: TestApp, username: string, typed = password) =>
  app.request('POST', '/token', { form: { username, password: typed } })

const profile = async (app: TestApp, username: string, typed = password) => {
  const { access_token: token } = (await (await login(app, username, typed)).json()) as { access_token: string }
  return (await (await app.request('GET', '/users/me', { token })).json()) as Record<string, unknown>
}

describeEachDialect('keyward users', (dialect) => {
  let stage: Awaited<ReturnType<typeof openStage>>
  const run = (line: string, secret?: string) => stage.run(line, secret)
  const done = async (line: string, secret?: string) => {
    const { code, out, err } = await run(line, secret)
    expect({ line, code, err }).toEqual({ line, code: 0, err: '' })
    return out
  }
  const refused = async (line: string, why: RegExp, secret?: string, exit = 1) => {
    const { code, out, err } = await run(line, secret)
    expect([line, code, out]).toEqual([line, exit, ''])
    expect(err).toMatch(why)
  }
  const create = (name: string, more = '') => done(`users create --email ${name}@example.com --username ${name}${more}`)

  beforeEach(async () => {
    stage = await openStage(dialect)
  })

  test('create makes a user with the given password, and an administrator with --admin', async () => {
    expect(await create('ada', ' --admin')).toBe('Created ada (id 1, ada@example.com, active, admin, user)\n')
    expect(await create('support')).toBe('Created support (id 2, support@example.com, active, user)\n')
    const app = await stage.server()
    expect(await profile(app, 'ada')).toMatchObject({ id: 1, roles: ['admin', 'user'], email_verified: false })
    expect(await profile(app, 'support')).toMatchObject({ id: 2, roles: ['user'] })
    const events = await app.rows.auditEvents.all()
    expect(events.map(({ event, userId }) => `${event} ${userId}`).slice(0, 3)).toEqual([
      'user.created 1',
      'role.granted 1',
      'user.created 2',
    ])
    await app.close()
  })

  test('create --invite and invite queue a mail instead of asking for a password', async () => {
    const line = 'users create --email ada@example.com --username ada --admin --invite'
    await refused(line, /^This server cannot send mail$/m)
    const smtp = { SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'no-reply@example.com' }
    const { code, out } = await stage.run(line, '', smtp)
    expect([code, out]).toEqual([0, 'Invited ada (id 1, ada@example.com, invited, admin, user)\n'])
    expect(await done('users list')).toMatch(/ invited /)
    expect((await stage.run('users invite ada', '', smtp)).out).toMatch(/^Invited ada /)
    const app = await stage.server()
    expect((await app.rows.mails.all()).map(({ kind, userId, state }) => [kind, userId, state])).toEqual(
      Array(2).fill(['invitation', 1, 'queued']),
    )
    expect((await login(app, 'ada')).status).toBe(401)
    await app.close()
    await done('users set-password ada')
    await refused('users invite ada', /^This server cannot send mail$/m)
    const again = await stage.run('users invite ada', '', smtp)
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/no open invitation/)])
  })

  test('create names the wrong field and creates nothing', async () => {
    await create('ada')
    await refused('users create --email ada@example.com --username other', /^Email already registered$/m)
    await refused('users create --email other@example.com --username ADA', /^Username already taken$/m)
    await refused('users create --email x --username a', /^email: .+\nusername: .+$/m)
    for (const weak of ['', 'short', 'password123'])
      await refused('users create --email bea@example.com --username bea --admin', /^password: .+$/m, weak)
    await refused('users create --username bea', /email/i, undefined, 2)
    await refused('users create --email bea@example.com --username bea extra', /no arguments/i, undefined, 2)
    await refused(
      'users create --email bea@example.com --username bea --adimn',
      /Unknown option '--adimn'/,
      undefined,
      2,
    )
    expect((await done('users list')).trim().split('\n')).toHaveLength(2)
  })

  test('set-password ends all sessions; the user logs in with the new password, by username or address', async () => {
    await create('ada')
    const app = await stage.server()
    const { access_token: token } = (await (await login(app, 'ada')).json()) as { access_token: string }
    expect(await done('users set-password ADA@example.com', 'a second password')).toMatch(
      /^Password set for ada \(id 1, /,
    )
    expect((await app.request('GET', '/users/me', { token })).status).toBe(401)
    expect((await login(app, 'ada')).status).toBe(401)
    expect((await login(app, 'ada', 'a second password')).status).toBe(200)
    await refused('users set-password nobody', /^User not found$/m)
    await refused('users set-password ada', /^password: .+/m, 'short')
    await refused('users set-password', /user/i, undefined, 2)
    expect((await login(app, 'ada', 'a second password')).status).toBe(200)
    await app.close()
  })

  test('list prints every user, as text or as one JSON object per line', async () => {
    await create('ada', ' --admin')
    await create('bea')
    await done('users deactivate bea')
    const lines = (await done('users list')).trimEnd().split('\n')
    expect(lines).toEqual([
      'ID  USERNAME  EMAIL            STATE     ROLES       CREATED',
      ' 1  ada       ada@example.com  active    admin,user  2026-01-01 00:00:00Z',
      ' 2  bea       bea@example.com  inactive  user        2026-01-01 00:00:00Z',
    ])
    const json = (await done('users list --json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(json).toEqual([
      expect.objectContaining({ id: 1, username: 'ada', is_active: true, roles: ['admin', 'user'] }),
      expect.objectContaining({ id: 2, username: 'bea', is_active: false, roles: ['user'] }),
    ])
    expect(Object.keys(json[0]!).sort()).toEqual([
      'created_at',
      'email',
      'email_verified',
      'id',
      'inactive_until',
      'invited_at',
      'is_active',
      'locale',
      'name',
      'roles',
      'username',
    ])
  })

  test('list prints no control characters of a name', async () => {
    const app = await stage.server()
    const ada = await app.signUp('ada')
    await app.rows.users.change({}, { username: '\u001b[2Jx\r\n\u202ey' })
    await app.close()
    const out = await done('users list')
    expect(out).toContain(`\n ${ada.id}  \\u001b[2Jx\\u000d\\u000a\\u202ey`)
    expect(out.trimEnd().split('\n')).toHaveLength(2)
  })

  test('deactivate takes effect at once; activate allows logins, and old tokens stay revoked', async () => {
    await create('ada')
    const app = await stage.server()
    const grant = (await (await login(app, 'ada')).json()) as { access_token: string; refresh_token: string }
    const isRevoked = async () => {
      expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(401)
      const json = { refresh_token: grant.refresh_token }
      expect((await app.request('POST', '/token/refresh', { json })).status).toBe(401)
    }
    expect(await done('users deactivate ada')).toMatch(/^Deactivated ada .* inactive,/)
    await isRevoked()
    expect((await login(app, 'ada')).status).toBe(401)
    await done('users deactivate ada')
    expect(await done('users activate ada')).toMatch(/^Activated ada .* active,/)
    await isRevoked()
    expect((await login(app, 'ada')).status).toBe(200)
    await refused('users deactivate nobody', /^User not found$/m)
    await app.close()
  })

  test('delete removes all personal data, and a new user with the same name, once freed, is a different user', async () => {
    await create('ada')
    const app = await stage.server()
    const grant = (await (await login(app, 'ada')).json()) as { access_token: string; refresh_token: string }
    await login(app, 'ada', 'wrong password')
    expect(await done('users delete ada --yes')).toMatch(/^Deleted ada /)
    expect([await app.rows.sessions.all(), await app.rows.userRoles.all()]).toEqual([[], []])
    const events = (await app.rows.auditEvents.all()).filter(({ userId }) => userId === 1)
    expect(events.map(({ event }) => event)).toContain('user.deleted')
    for (const { ip, sessionId, details } of events) {
      expect([ip, sessionId]).toEqual([null, null])
      expect(details ?? '').not.toContain('ada')
    }
    expect(await done('users free ada')).toBe('Freed ada\n')
    expect(await create('ada')).toMatch(/^Created ada \(id 2, /)
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(401)
    const json = { refresh_token: grant.refresh_token }
    expect((await app.request('POST', '/token/refresh', { json })).status).toBe(401)
    expect(await profile(app, 'ada')).toMatchObject({ id: 2 })
    await app.close()
  })

  test('12.D5 delete asks first, and without a terminal needs --yes', async () => {
    await create('ada')
    await refused('users delete ada', /^There is no terminal to ask at: add --yes$/m, undefined, 2)
    const answer = (confirms: boolean) =>
      keyward(['users', 'delete', 'ada', '--dev'], {
        databaseUrl: stage.database.url,
        env: { BCRYPT_COST: '4' },
        confirms,
      })
    expect(await answer(false)).toEqual({ code: 1, out: '', err: 'Nothing was deleted\n' })
    expect(await done('users list')).toContain('ada@example.com')
    expect((await answer(true)).out).toStartWith('Deleted')
    expect(await done('users list --json')).toBe('')
  })

  test('the last administrator cannot be deactivated or deleted', async () => {
    await create('ada', ' --admin')
    for (const command of ['deactivate', 'delete --yes'])
      await refused(`users ${command} ada`, /^The last administrator must stay$/m)
    await create('bea', ' --admin')
    await done('users deactivate ada')
    // A deactivated administrator does not count, and can be deleted.
    for (const command of ['deactivate', 'delete --yes'])
      await refused(`users ${command} bea`, /^The last administrator must stay$/m)
    await done('users delete ada --yes')
    await refused('users delete bea --yes', /^The last administrator must stay$/m)
    expect((await done('users list --json')).trim().split('\n')).toHaveLength(1)
  })

  test('one administrator stays when concurrent processes remove all of them', async () => {
    for (const name of ['ada', 'bea', 'cyd']) await create(name, ' --admin')
    const env = { DATABASE_URL: stage.database.url, SECRET_KEY: testSecret, BCRYPT_COST: '10' }
    const results = await Promise.all(
      [
        ['deactivate', 'ada'],
        ['delete', 'bea'],
        ['deactivate', 'cyd'],
      ].map(([command, name]) =>
        runBinary(['users', command!, name!, ...(command === 'delete' ? ['--yes'] : [])], { env }),
      ),
    )
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 0, 1])
    const failed = results.find(({ exitCode }) => exitCode === 1)!
    expect(failed.stderr).toContain('The last administrator must stay')
    const left = (await done('users list --json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(left.filter(({ is_active }) => is_active)).toHaveLength(1)
  })
})
