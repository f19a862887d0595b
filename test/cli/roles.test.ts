import { beforeEach, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'

/** Every command runs while the server runs on the same database. */
describeEachDialect('keyward roles', (dialect) => {
  const apps = appsPerTest()
  let app: TestApp
  const run = (line: string, more: { confirms?: boolean } = {}) =>
    keyward(line === '' ? [] : line.split(' '), { databaseUrl: app.databaseUrl, clock: app.clock, ...more })
  const done = async (line: string) => {
    const { code, out, err } = await run(line)
    expect({ line, code, err }).toEqual({ line, code: 0, err: '' })
    return out
  }
  const refused = async (line: string, why: RegExp, exit = 1) => {
    const { code, out, err } = await run(line)
    expect([line, code, out]).toEqual([line, exit, ''])
    expect(err).toMatch(why)
  }
  const json = async (line: string) => JSON.parse(await done(`${line} --json`)) as Record<string, unknown>
  const lastEvents = async (count: number) =>
    (await app.rows.auditEvents.all()).slice(-count).map(({ event, userId, actorId, details }) => ({
      event,
      userId,
      actorId,
      details: JSON.parse(details!) as object,
    }))

  beforeEach(async () => {
    app = await apps.open({ dialect })
  })

  test('14.1 create, show, update, list and delete a role, with the JSON of the HTTP routes', async () => {
    const ofRole = { permissions: ['users:read', 'audit:read'], requires_second_factor: false, built_in: false }
    const role = { name: 'support', description: '', ...ofRole }
    expect(await json('roles create support --permissions audit:read,users:read')).toEqual(role)
    expect(await json('roles show support')).toEqual(role)
    expect(await json('roles update support --description Helps')).toEqual({ ...role, description: 'Helps' })
    const changed = { ...role, description: 'Helps', permissions: [] }
    expect((await run('roles update support --permissions=')).out).toMatch(/^Permissions: +-$/m)
    const strict = { ...changed, requires_second_factor: true }
    expect(await json('roles update support --require-second-factor yes')).toEqual(strict)
    expect((await run('roles show support')).out).toMatch(/^Second factor: +required$/m)
    expect(await json('roles update support --require-second-factor no')).toEqual(changed)
    expect(await json('roles create strict --require-second-factor yes')).toMatchObject({
      requires_second_factor: true,
    })
    await done('roles delete strict --yes')
    expect(await json('roles show support')).toEqual(changed)
    const lines = (await done('roles list')).trimEnd().split('\n')
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['ROLE', 'PERMISSIONS', 'DESCRIPTION'],
      ['admin', 'all', expect.any(String)],
      ['support', '-', 'Helps'],
      ['user', '-', expect.any(String)],
    ])
    expect((await run('roles delete support', { confirms: false })).err).toBe('Nothing was deleted\n')
    await refused('roles delete support', /^There is no terminal to ask at: add --yes$/m, 2)
    expect(await json('roles delete support --yes')).toEqual(changed)
    await refused('roles show support', /^Role not found$/m)
    expect(await lastEvents(8)).toMatchObject([
      { event: 'role.created', actorId: null, details: { role: 'support', permissions: 'users:read audit:read' } },
      { event: 'role.updated', details: { before: 'users:read audit:read', after: 'users:read audit:read' } },
      { event: 'role.updated', details: { before: 'users:read audit:read', after: '' } },
      { event: 'role.updated', details: { requires_second_factor: true } },
      { event: 'role.updated', details: { requires_second_factor: false } },
      { event: 'role.created', details: { role: 'strict', requires_second_factor: true } },
      { event: 'role.deleted', details: { role: 'strict' } },
      { event: 'role.deleted', details: { role: 'support', holders: 0 } },
    ])
  })

  test('14.1 grant and revoke count at once, also at the running server, and once', async () => {
    const { id, grant } = await app.signUp('ada')
    const roles = async () => {
      const me = await app.request('GET', '/users/me', { token: grant.access_token })
      return ((await me.json()) as { roles: string[] }).roles
    }
    const status = async () => (await app.request('GET', '/admin/users', { token: grant.access_token })).status
    await done('roles create support --permissions users:read')
    expect([await roles(), await status()]).toEqual([['user'], 403])
    expect(await done(`roles grant id:${id} support`)).toBe('Granted support to ada. Roles: support, user\n')
    expect([await roles(), await status()]).toEqual([['support', 'user'], 200])
    expect(await done('roles grant ada support')).toStartWith('Nothing to do: support is already a role of ada.')
    expect(await json('roles revoke ada@example.com support')).toMatchObject({ id, roles: ['user'] })
    expect([await roles(), await status()]).toEqual([['user'], 403])
    expect(await done('roles revoke ada support')).toStartWith('Nothing to do: support is no role of ada.')
    expect(await lastEvents(2)).toEqual([
      { event: 'role.granted', userId: id, actorId: null, details: { role: 'support' } },
      { event: 'role.withdrawn', userId: id, actorId: null, details: { role: 'support' } },
    ])
  })

  test('14.1 the last administrator stays, also when two commands run at once', async () => {
    await app.signUp('ada')
    await app.signUp('bea')
    for (const name of ['ada', 'bea']) await done(`roles grant ${name} admin`)
    const results = await Promise.all(['ada', 'bea'].map((name) => run(`roles revoke ${name} admin`)))
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1])
    expect(results.map(({ err }) => err).join('')).toBe('The last administrator must stay\n')
    expect(await app.rows.userRoles.count({ role: 'admin' })).toBe(1)
  })

  test('14.1 wrong names and words are refused, and nothing changes', async () => {
    await app.signUp('ada')
    const before = await app.rows.auditEvents.all()
    await refused('roles create Support', /^name: /)
    await refused('roles create user', /^A role with this name already exists$/m)
    await refused('roles create x --permissions users:fly', /^permissions: .*users:read/)
    await refused('roles update admin --description x', /^The roles user and admin cannot be changed or deleted$/m)
    await refused('roles delete user', /^The roles user and admin cannot be changed or deleted$/m)
    await refused('roles update nothing --description x', /^Role not found$/m)
    await refused('roles update nothing', /^Say what to change/, 2)
    await refused('roles grant ada nothing', /^Role not found$/m)
    await refused('roles grant nobody admin', /^User not found$/m)
    await refused('roles revoke ada user', /^role: Every user has this role$/m)
    expect(await app.rows.auditEvents.all()).toEqual(before)
  })

  test('14.3 users and sessions are listed and shown', async () => {
    const { id } = await app.signUp('ada')
    await app.signUp('adam')
    await app.signUp('bea')
    await done('roles grant bea admin')
    await done('users deactivate adam')
    const listed = async (options: string) =>
      (await done(`users list ${options} --json`))
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { username: string }).username)
    expect(await listed('--search ADA')).toEqual(['ada', 'adam'])
    expect(await listed('--search ada --state active')).toEqual(['ada'])
    expect(await listed('--role admin')).toEqual(['bea'])
    expect(await listed('--limit 2')).toEqual(['ada', 'adam'])
    await refused('users list --limit 0', /^--limit takes a whole number/, 2)
    expect(await json(`users show id:${id}`)).toMatchObject({ id, username: 'ada', permissions: [], sessions: 1 })
    expect(await done('users show bea')).toMatch(/^Permissions: +tokens:introspect, users:read/m)
    const [session] = (await done('sessions list ada --json')).trim().split('\n')
    const own = await app.rows.sessions.one({ userId: id })
    expect(JSON.parse(session!)).toMatchObject({ id: own.id, amr: ['pwd'] })
    expect(JSON.parse(session!)).not.toHaveProperty('current')
    expect(await done('sessions list ada')).toContain(own.id)
    await done('sessions end ada')
    expect(await done('sessions list ada --json')).toBe('')
    await refused('sessions list nobody', /^User not found$/m)
  })
})
