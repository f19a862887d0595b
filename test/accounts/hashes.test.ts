import { beforeEach, describe, expect, test } from 'bun:test'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { type Bcrypt, passwordsWith, standIn } from '../support/replace.ts'

const password = 'correct horse battery'

const passwords = standIn<'passwords'>()

describeApp('password hashes', { replace: { passwords: passwords.replacement } }, (app) => {
  /** The calls of bcrypt: `hash 5`, `verify`. */
  let calls: string[]
  /** Runs between the verification of a password and the end of the next hash. */
  let meanwhile: () => Promise<void>

  beforeEach(async () => {
    meanwhile = async () => {}
    useCost(4)
    await app.signUp('ada', password)
    calls = []
  })

  function useCost(cost: number): void {
    const bcrypt: Bcrypt = {
      async hash(text, rounds) {
        calls.push(`hash ${rounds}`)
        await meanwhile()
        return Bun.password.hash(text, { algorithm: 'bcrypt', cost: rounds })
      },
      verify(text, hash) {
        calls.push('verify')
        return Bun.password.verify(text, hash)
      },
    }
    calls = []
    passwords.change(passwordsWith({ cost, bcrypt }))
  }

  const row = () => app.rows.users.one({ usernameKey: 'ada' })
  const change = (values: Partial<Awaited<ReturnType<typeof row>>>) =>
    app.rows.users.change({ usernameKey: 'ada' }, values)
  const login = (text = password, username = 'ada') =>
    app.request('POST', '/token', { form: { username, password: text } })

  test('are stored with cost and scheme, never as plain text', async () => {
    const { passwordHash, passwordScheme } = await row()
    expect(passwordHash).toMatch(/^\$2b\$04\$[./A-Za-z0-9]{53}$/)
    expect(passwordScheme).toBe('bun-bcrypt')
  })

  describe('are computed', () => {
    test('once for the right password', async () => {
      expect((await login()).status).toBe(200)
      expect(calls).toEqual(['verify'])
    })

    test('C1: once for a wrong password', async () => {
      await expectRefusal(await login('wrong'), 'invalid_credentials')
      expect(calls).toEqual(['verify'])
    })

    test.each(['nobody', 'nobody@example.com', 'not an @ address @', '\u0000', 'x'.repeat(1_000)])(
      'C1: once for an unknown name: %j',
      async (name) => {
        await expectRefusal(await login(password, name), 'invalid_credentials')
        expect(calls).toEqual(['hash 4'])
      },
    )

    test.each(['\ud800'.repeat(9), 'a\0a', 'x'.repeat(257), '\u0344'.repeat(9_000)])(
      'C1: once for a password that no account can have',
      async (text) => {
        const response = await app.request('POST', '/token', { json: { username: 'ada', password: text } })
        await expectRefusal(response, 'invalid_credentials')
        expect(calls).toEqual(['hash 4'])
      },
    )

    test('B7, C1: once for an account without a password or with an unusable hash', async () => {
      for (const passwordHash of [
        null,
        '',
        'x',
        '$2x$04$abc',
        `$2b$31$${'a'.repeat(53)}`,
        '$argon2id$v=19$m=1,t=1,p=1$a$b',
      ]) {
        await change({ passwordHash })
        calls = []
        await expectRefusal(await login(), 'invalid_credentials')
        expect(calls).toEqual(['hash 4'])
      }
    })

    test('once for the right password of an inactive account', async () => {
      await change({ isActive: false })
      await expectRefusal(await login(), 'invalid_credentials')
      expect(calls).toEqual(['verify'])
    })

    test('not at all for a registration of a taken name', async () => {
      const json = { email: 'ada@example.com', username: 'other', password }
      await expectRefusal(await app.request('POST', '/register', { json }), 'email_taken')
      await expectRefusal(
        await app.request('POST', '/register', { json: { ...json, password: 'short' } }),
        'validation_failed',
      )
      expect(calls).toEqual([])
    })
  })

  test('C2: of an inactive account take as long with the right password as with a wrong one', async () => {
    await change({ isActive: false })
    useCost(6)
    for (const given of [password, 'wrong']) {
      calls = []
      await expectRefusal(await login(given), 'invalid_credentials')
      // The stored hash has the cost 4.
      expect(calls).toEqual(['verify', 'hash 4', 'hash 5'])
    }
  })

  describe('are renewed at a login', () => {
    test('B4: once after BCRYPT_COST was raised or lowered', async () => {
      for (const cost of [5, 4]) {
        useCost(cost)
        expect((await login()).status).toBe(200)
        expect(calls).toEqual(['verify', `hash ${cost}`])
        expect((await row()).passwordHash).toStartWith(`$2b$0${cost}$`)
        expect((await login()).status).toBe(200)
        expect(calls).toEqual(['verify', `hash ${cost}`, 'verify'])
      }
    })

    test('but not for a wrong password', async () => {
      const before = await row()
      useCost(5)
      await expectRefusal(await login('wrong'), 'invalid_credentials')
      expect(await row()).toEqual(before)
    })

    test('but do not overwrite a password that was changed meanwhile', async () => {
      const newer = await Bun.password.hash('another one altogether', { algorithm: 'bcrypt', cost: 4 })
      useCost(5)
      meanwhile = async () => {
        await change({ passwordHash: newer, sessionEpoch: 1 })
      }
      const response = await login()
      expect(await row()).toMatchObject({ passwordHash: newer, passwordScheme: 'bun-bcrypt' })
      // The login that verified the old password must not survive the change either.
      if (response.status === 200) {
        const { access_token } = (await response.json()) as { access_token: string }
        await expectRefusal(await app.request('GET', '/users/me', { token: access_token }), 'invalid_token')
      } else await expectRefusal(response, 'invalid_credentials')
    })

    test('but a password reset after the verification still ends the new session', async () => {
      passwords.change(({ verify }) => ({
        async verify(text, stored, client) {
          const verdict = await verify(text, stored, client)
          await change({ sessionEpoch: 1 })
          return verdict
        },
      }))
      const response = await login()
      if (response.status === 200) {
        const { access_token } = (await response.json()) as { access_token: string }
        await expectRefusal(await app.request('GET', '/users/me', { token: access_token }), 'invalid_token')
      } else await expectRefusal(response, 'invalid_credentials')
    })
  })

  describe('of another bcrypt library', () => {
    const long = `${'ab'.repeat(40)} and a tail that other libraries cut off`
    const foreign = async (text: string) =>
      Bun.password.hash(Buffer.from(text).subarray(0, 72), { algorithm: 'bcrypt', cost: 4 })

    test('verify by the first 72 bytes once, then by the whole password', async () => {
      await change({ passwordHash: await foreign(long), passwordScheme: 'bcrypt' })
      expect((await login(`${long.slice(0, 72)} and another tail`)).status).toBe(200)
      await change({ passwordHash: await foreign(long), passwordScheme: 'bcrypt' })
      expect((await login(long)).status).toBe(200)
      expect((await row()).passwordScheme).toBe('bun-bcrypt')
      expect((await login(long)).status).toBe(200)
      await expectRefusal(await login(long.slice(0, 72)), 'invalid_credentials')
      await expectRefusal(await login(`${long.slice(0, 72)} and another tail`), 'invalid_credentials')
    })

    test('verify with the prefix $2a$ or $2y$ and are renewed', async () => {
      for (const version of ['2a', '2y']) {
        const hash = (await foreign(password)).replace(/^\$2b/, `$${version}`)
        await change({ passwordHash: hash, passwordScheme: 'bcrypt' })
        expect((await login()).status).toBe(200)
        expect(await row()).toMatchObject({ passwordScheme: 'bun-bcrypt' })
        expect((await row()).passwordHash).toStartWith('$2b$04$')
      }
    })

    test('refuse a wrong password and are not changed by it', async () => {
      const passwordHash = await foreign(long)
      await change({ passwordHash, passwordScheme: 'bcrypt' })
      await expectRefusal(await login(long.slice(0, 71)), 'invalid_credentials')
      expect(await row()).toMatchObject({ passwordHash, passwordScheme: 'bcrypt' })
    })
  })
})
