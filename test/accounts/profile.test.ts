import { expect, test } from 'bun:test'
import { audit, login, me, refreshed } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const patch = (app: TestApp, { grant }: SignedUp, json: object) =>
  app.request('PATCH', '/users/me', { token: grant.access_token, json })
const register = (app: TestApp, json: object) =>
  app.request('POST', '/register', { json: { password: 'correct horse battery', ...json } })
const view = async (response: Response | Promise<Response>) => {
  const answer = await response
  expect(answer.status).toBeLessThan(300)
  return (await answer.json()) as Record<string, unknown>
}

describeApp('PATCH /users/me', { env: { RATE_LIMIT: 'on' } }, (app) => {
  test('13.6 changes username, name and language, each alone, and records which', async () => {
    const ada = await app.signUp('ada')
    const before = await view(app.request('GET', '/users/me', { token: ada.grant.access_token }))
    expect(before).toMatchObject({ username: 'ada', name: null, locale: null })
    expect(await view(patch(app, ada, { name: ' Ada  Lovelace\t' }))).toEqual({ ...before, name: 'Ada  Lovelace' })
    expect(await view(patch(app, ada, { locale: 'de' }))).toMatchObject({ name: 'Ada  Lovelace', locale: 'de' })
    const all = { username: ' Ada.L ', name: 'Augusta', locale: 'ja' }
    const after = { ...before, ...all, username: 'Ada.L' }
    expect(await view(patch(app, ada, all))).toEqual(after)
    expect(await view(app.request('GET', '/users/me', { token: ada.grant.access_token }))).toEqual(after)
    expect(await view(app.request('GET', '/user/user', { token: ada.grant.access_token }))).toEqual({
      id: ada.id,
      username: 'Ada.L',
      email: 'ada@example.com',
    })
    const changes = await audit(app, 'user.updated')
    expect(changes.map(({ userId, details }) => [userId, details])).toEqual([
      [ada.id, '{"fields":"name"}'],
      [ada.id, '{"fields":"locale"}'],
      [ada.id, '{"fields":"username name locale"}'],
    ])
    expect((await login(app, { ...ada, username: 'ada.l' })).status).toBe(200)
    await expectRefusal(await login(app, ada), 'invalid_credentials')
    const { access_token } = await refreshed(app, ada.grant.refresh_token!)
    expect(JSON.parse(Buffer.from(access_token.split('.')[1]!, 'base64url').toString())).toMatchObject({
      username: 'Ada.L',
    })
  })

  test('13.6 removes name and language with null, and leaves the username alone', async () => {
    const ada = await app.signUp('ada')
    await patch(app, ada, { name: 'Ada', locale: 'fr' })
    const cleared = await view(patch(app, ada, { name: null, locale: null, username: null }))
    expect(cleared).toMatchObject({ username: 'ada', name: null, locale: null })
  })

  test('13.6 writes nothing and takes no place when nothing changes', async () => {
    const ada = await app.signUp('ada')
    await patch(app, ada, { name: 'Ada' })
    const stored = async () => [
      await app.rows.users.one(),
      await app.rows.auditEvents.count(),
      (await app.rows.limits.all()).filter(({ key }) => key.startsWith('account.write')),
    ]
    const before = await stored()
    for (const same of [{}, { username: 'ada', name: 'Ada', locale: null }, { username: ' ada' }, { name: 'Ada ' }])
      for (let at = 0; at < 20; at++) expect((await patch(app, ada, same)).status).toBe(200)
    expect(await stored()).toEqual(before)
  })

  test('13.6 refuses what registration refuses, and stores none of a request with a wrong field', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('Bea')]
    for (const username of ['ad', 'a b', 'ada@example.com', 'аda', 'admin', 'Sup-Port', ''])
      expect((await expectRefusal(await patch(app, ada, { username, name: 'X' }), 'validation_failed')).errors).toEqual(
        [{ field: 'username', message: expect.any(String) }],
      )
    for (const name of ['', ' ', 'a\nb', 'a\u0000b', 'a\u2028b', '\u200b', '\ud800', 'x'.repeat(101), '😀'.repeat(101)])
      for (const answer of [
        patch(app, ada, { username: 'ada2', name }),
        register(app, { email: 'c@example.com', username: 'cyd', name }),
      ])
        expect([name, (await answer).status]).toEqual([name, 422])
    for (const locale of ['xx', 'de-AT', 'DE', 1])
      await expectRefusal(await patch(app, ada, { locale, name: 'X' }), 'validation_failed')
    for (const username of ['bea', 'BEA'])
      await expectRefusal(await patch(app, ada, { username, name: 'X' }), 'username_taken')
    expect(await app.rows.users.one({ id: ada.id })).toMatchObject({ username: 'ada', name: null, locale: null })
    expect(await app.rows.users.count()).toBe(2)
    expect(await audit(app, 'user.updated')).toEqual([])
    expect(await view(patch(app, bea, { username: 'bea' }))).toMatchObject({ username: 'bea' })
    expect(await view(patch(app, bea, { name: '😀'.repeat(100) }))).toMatchObject({ name: '😀'.repeat(100) })
  })

  test('13.6 ignores members that it does not know, and changes nothing but the account of the caller', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    const before = await app.rows.users.all()
    const extra = { id: bea.id, is_active: false, roles: ['admin'], password: 'another good one', email_verified: true }
    expect(await view(patch(app, ada, extra))).toMatchObject({ id: ada.id, username: 'ada', email_verified: false })
    expect(await app.rows.users.all()).toEqual(before)
    expect(await audit(app, 'user.updated')).toEqual([])
    await patch(app, ada, { ...extra, name: 'Ada' })
    const [row, other] = [await app.rows.users.one({ id: ada.id }), await app.rows.users.one({ id: bea.id })]
    const [was, otherWas] = ['ada', 'bea'].map((name) => before.find(({ username }) => username === name)!)
    expect([row, other]).toEqual([{ ...was!, name: 'Ada', updatedAt: row.updatedAt }, otherWas!])
  })

  test('13.6 names every wrong field of one request', async () => {
    const ada = await app.signUp('ada')
    const wrong = { username: 'a', name: '', email: 'no address' }
    const { errors } = await expectRefusal(await patch(app, ada, wrong), 'validation_failed')
    expect(errors!.map(({ field }) => field).sort()).toEqual(['email', 'name', 'username'])
  })

  test('13.6 leaves a username that the rules would refuse, or changes its case only', async () => {
    const ada = await app.signUp('ada')
    await app.rows.users.change({ id: ada.id }, { username: 'Ada Of Old!', usernameKey: 'ada of old!' })
    expect(await view(patch(app, ada, { username: 'Ada Of Old!', name: 'Ada' }))).toMatchObject({ name: 'Ada' })
    await expectRefusal(await patch(app, ada, { username: 'ada of old!' }), 'validation_failed')
    await app.rows.users.change({ id: ada.id }, { username: 'admin', usernameKey: 'admin' })
    expect(await view(patch(app, ada, { username: 'Admin' }))).toMatchObject({ username: 'Admin' })
    await expectRefusal(await patch(app, ada, { username: 'root' }), 'validation_failed')
  })

  test('13.6 counts changes and taken usernames in account.write', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    const codes: number[] = []
    for (let at = 0; at < 31; at++) codes.push((await patch(app, ada, { name: `Ada ${at}` })).status)
    expect(codes).toEqual([...Array(30).fill(200), 429])
    const taken: number[] = []
    for (let at = 0; at < 31; at++) taken.push((await patch(app, bea, { username: 'ada' })).status)
    expect(taken).toEqual([...Array(30).fill(409), 429])
  })

  test('13.6 gives one username to one of many who ask at once, by PATCH and by registration', async () => {
    const users = [await app.signUp('u1x'), await app.signUp('u2x'), await app.signUp('u3x'), await app.signUp('u4x')]
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all([
        ...users.map((user) => patch(app, user, { username: `Wanted${round}` })),
        register(app, { email: `r${round}@example.com`, username: `wanted${round}` }),
      ])
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses.filter((status) => status !== 409)).toHaveLength(1)
      expect(statuses.filter((status) => status === 409)).toHaveLength(4)
      expect(await app.rows.users.count({ usernameKey: `wanted${round}` })).toBe(1)
    }
  })

  test('13.6 is refused when all sessions of the user ended since the request was let in', async () => {
    const ada = await app.signUp('ada')
    await Promise.all([
      app.admin.deactivate(ada.id),
      ...Array.from({ length: 6 }, (_, at) => patch(app, ada, { name: `Ada ${at}` })),
    ])
    const { name } = await app.rows.users.one()
    expect(await me(app, ada.grant.access_token)).toBe(401)
    await expectRefusal(await patch(app, ada, { name: 'Late' }), 'invalid_token')
    expect((await app.rows.users.one()).name).toBe(name)
  })

  test('13.6 keeps a former username for its owner alone, after the account is deleted for nobody', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    expect((await patch(app, ada, { username: 'lovelace' })).status).toBe(200)
    await expectRefusal(await patch(app, bea, { username: 'Ada' }), 'username_taken')
    await expectRefusal(await register(app, { email: 'm@example.com', username: 'ada' }), 'username_taken')
    expect((await patch(app, ada, { username: 'ADA' })).status).toBe(200)
    await expectRefusal(await patch(app, bea, { username: 'lovelace' }), 'username_taken')
    expect(await app.rows.reservedNames.count()).toBe(1)
    expect(JSON.stringify(await app.rows.reservedNames.all())).not.toContain('lovelace')

    expect((await app.request('DELETE', '/users/me', { token: ada.grant.access_token })).status).toBe(204)
    expect(await app.rows.reservedNames.all({ userId: null })).toHaveLength(2)
    await expectRefusal(await patch(app, bea, { username: 'lovelace' }), 'username_taken')
    const cli = await keyward(['users', 'free', 'lovelace'], { databaseUrl: app.databaseUrl })
    expect(cli.code).toBe(0)
    expect((await patch(app, bea, { username: 'lovelace' })).status).toBe(200)
  })

  test('13.6 lets a user have ten former usernames, so that nobody reserves a dictionary', async () => {
    const ada = await app.signUp('ada')
    for (let at = 0; at < 10; at++) expect((await patch(app, ada, { username: `ada${at}` })).status).toBe(200)
    const refused = await expectRefusal(await patch(app, ada, { username: 'ada10' }), 'validation_failed')
    expect(refused.errors).toMatchObject([{ field: 'username' }])
    expect((await patch(app, ada, { username: 'ada3' })).status).toBe(200)
    expect((await patch(app, ada, { username: 'ada9' })).status).toBe(200)
    expect(await app.rows.reservedNames.count({ userId: ada.id })).toBe(10)
    expect((await register(app, { email: 'm@example.com', username: 'ada10' })).status).toBe(201)
  })
})

describeApp('registration', {}, (app) => {
  test('13.6 takes a name and a language, and answers them', async () => {
    const { status } = await register(app, { email: 'a@example.com', username: 'ada', name: null, locale: null })
    expect(status).toBe(201)
    const bea = { email: 'b@example.com', username: 'bea', name: ' Bea Ødegård ', locale: 'es' }
    expect(await view(register(app, bea))).toMatchObject({ ...bea, name: 'Bea Ødegård' })
    const json = { email: 'c@example.com', username: 'cyd', password: 'correct horse battery' }
    const headers = { 'accept-language': 'fr-CH, en;q=0.5' }
    expect(await view(app.request('POST', '/register', { json, headers }))).toMatchObject({ name: null, locale: 'fr' })
  })
})
