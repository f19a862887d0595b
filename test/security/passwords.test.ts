import { beforeEach, expect, test } from 'bun:test'
import { Glob } from 'bun'
import { createTestApp, type SignedUp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { type Bcrypt, passwordsWith, standIn } from '../support/replace.ts'

const passwords = standIn<'passwords'>()

describeApp('passwords', { replace: { passwords: passwords.replacement } }, (app, dialect) => {
  let ada: SignedUp
  beforeEach(async () => {
    ada = await app.signUp('ada')
  })

  const logIn = (password: string, username = 'ada') => app.request('POST', '/token', { form: { username, password } })
  const change = (json: unknown, token = ada.grant.access_token) =>
    app.request('PUT', '/users/me/password', { json, token })

  const expectRefusedEverywhere = async (password: string) => {
    const json = { email: 'bea@example.com', username: 'bea', password }
    await expectRefusal(await app.request('POST', '/register', { json }), 'validation_failed')
    await expectRefusal(await change({ current_password: ada.password, new_password: password }), 'validation_failed')
    const { databaseUrl } = app
    const set = await keyward(['users', 'set-password', 'ada'], { databaseUrl, secret: password, clock: app.clock })
    expect([password, set.code === 0]).toEqual([password, false])
    const argv = ['users', 'create', '--email', 'bea@example.com', '--username', 'bea']
    const made = await keyward(argv, { databaseUrl, secret: password, clock: app.clock })
    expect([password, made.code === 0]).toEqual([password, false])
  }

  test('A1, A5: that are short or common are refused wherever one is set', async () => {
    const bad = ['', 'a', '1234567', 'password1', 'PASSWORD1', 'Qwertyuiop', 'iloveyou', '1234567890', 'football']
    for (const password of bad) await expectRefusedEverywhere(password)
    expect((await logIn(ada.password)).status).toBe(200)
    expect((await logIn('password1', 'bea')).status).toBe(401)
  })

  test('12.A10 passwords of repeated, sequential or common parts are refused wherever one is set', async () => {
    for (const password of [
      '111111111111111',
      '1q2w3e4r5t6y7u8i9o',
      '123456789101112',
      'passwordpassword',
      'dragon1990',
    ])
      await expectRefusedEverywhere(password)
    expect((await logIn(ada.password)).status).toBe(200)
    const json = { email: 'bea@example.com', username: 'bea', password: 'dragon1990 ~q' }
    expect((await app.request('POST', '/register', { json })).status).toBe(201)
  })

  test('A9: are changed only with the current password of the same user', async () => {
    const bea = await app.signUp('bea', 'another horse, another battery')
    const next = 'a quite new and long one'
    await expectRefusal(await change({ new_password: next }), 'validation_failed')
    await expectRefusal(await change({ current_password: null, new_password: next }), 'validation_failed')
    for (const wrong of ['', 'wrong', `${ada.password} `, bea.password, next])
      await expectRefusal(await change({ current_password: wrong, new_password: next }), 'invalid_password')
    expect((await logIn(next)).status).toBe(401)
    expect((await logIn(ada.password)).status).toBe(200)
    expect((await change({ current_password: ada.password, new_password: next })).status).toBe(204)
    expect((await logIn(ada.password)).status).toBe(401)
    expect((await logIn(next)).status).toBe(200)
    expect((await logIn(bea.password, 'bea')).status).toBe(200)
  })

  test('A11: are not read from an address', async () => {
    const query = `username=ada&password=${encodeURIComponent(ada.password)}&grant_type=password`
    for (const path of ['/token', '/user/token'])
      for (const options of [{ form: '' }, { json: {} }])
        await expectRefusal(await app.request('POST', `${path}?${query}`, options), 'invalid_request')
    for (const path of ['/token', '/user/token', '/register'])
      await expectRefusal(await app.request('GET', `${path}?${query}`), 'method_not_allowed')
  })

  test('A12: a new installation has no user', async () => {
    const fresh = await createTestApp({ dialect })
    for (const username of ['admin', 'root', 'administrator', 'keyward', 'user', 'test', 'admin@example.com'])
      for (const password of [username, 'admin', 'password', 'root', 'keyward', 'changeme', '123456'])
        expect((await fresh.request('POST', '/token', { form: { username, password } })).status).toBe(401)
    expect(
      (await keyward(['users', 'list', '--json'], { databaseUrl: fresh.databaseUrl, clock: fresh.clock })).out,
    ).toBe('')
    await fresh.close()
  })

  test('B8: too long input is refused before a hash is computed', async () => {
    const asked = watchHashing()
    const huge = 'x'.repeat(1_000_000)
    const json = { email: 'bea@example.com', username: 'bea', password: huge }
    await expectRefusal(await app.request('POST', '/register', { json }), 'payload_too_large')
    await expectRefusal(await app.request('POST', '/token', { json }), 'payload_too_large')
    await expectRefusal(await change({ current_password: huge, new_password: huge }), 'payload_too_large')
    const long = { ...json, password: 'x'.repeat(60_000) }
    await expectRefusal(await app.request('POST', '/register', { json: long }), 'validation_failed')
    expect(asked).toEqual([])
    // A login costs the same for any input, and this input never reaches bcrypt.
    await expectRefusal(await app.request('POST', '/token', { json: long }), 'invalid_credentials')
    expect(asked).toEqual(['nobody'])
  })

  test('B10: bcrypt gets only the password', async () => {
    const asked = watchHashing()
    const password = 'a password, and nothing beside it'
    const json = { email: 'bea@example.com', username: 'bea', password }
    expect((await app.request('POST', '/register', { json })).status).toBe(201)
    await logIn(password, 'bea')
    await logIn(password, 'bea@example.com')
    expect(asked).toEqual([password, password, password])
  })

  test('C2: unknown, wrong, inactive and without a password have the same answer, byte for byte', async () => {
    await keyward(['users', 'deactivate', 'ada'], { databaseUrl: app.databaseUrl, clock: app.clock })
    await app.signUp('bea')
    await app.rows.users.add({
      ...(await app.rows.users.all())[1]!,
      id: 1_000,
      username: 'cyd',
      usernameKey: 'cyd',
      email: 'cyd@example.com',
      emailKey: 'cyd@example.com',
      passwordHash: null,
      passwordScheme: null,
    })
    const answers = await Promise.all([
      logIn('whatever it was', 'nobody'),
      logIn('whatever it was', 'nobody@example.com'),
      logIn('whatever it was', 'bea'),
      logIn('whatever it was', 'ada'),
      logIn(ada.password, 'ada'),
      logIn('whatever it was', 'cyd'),
      logIn('x', 'nobody'),
    ])
    const plain = await Promise.all(
      answers.map(async (answer) => {
        answer.headers.delete('x-request-id')
        return JSON.stringify([answer.status, [...answer.headers], await answer.text()])
      }),
    )
    expect(new Set(plain).size).toBe(1)
    expect(answers[0]!.status).toBe(401)
  })
})

test('B10: no other source file hashes or verifies a password', async () => {
  const users: string[] = []
  const readers: string[] = []
  for await (const path of new Glob('src/**/*.ts').scan()) {
    const text = await Bun.file(path).text()
    if (/Bun\.password\.|\bbcrypt\.(hash|verify)\(/.test(text)) users.push(path)
    if (/\bcreateForeignVerifier\b/.test(text)) readers.push(path)
  }
  // Hashes of other services are verified in a file of their own, which only `hashing.ts` uses, behind its gate.
  const both = ['src/features/passwords/foreign-hash.ts', 'src/features/passwords/hashing.ts']
  expect(users.toSorted()).toEqual(both)
  expect(readers.toSorted()).toEqual(both)
})

/** Replaces bcrypt by one that records its input. */
function watchHashing(): string[] {
  const asked: string[] = []
  const note = (given: string | Uint8Array) =>
    asked.push(typeof given === 'string' ? given : Buffer.from(given).toString())
  const bcrypt: Bcrypt = {
    hash: (password, cost) => {
      note(password)
      return Bun.password.hash(password, { algorithm: 'bcrypt', cost })
    },
    verify: (password, hash) => {
      note(password)
      return Bun.password.verify(password, hash)
    },
  }
  passwords.change(passwordsWith({ bcrypt }))
  return asked
}
