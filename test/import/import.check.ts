import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { firebase, fixtures, pythonHashes } from '../passwords/foreign-hashes.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { type Dialect, describeEachDialect, dialects, sqliteFile } from '../support/dialects.ts'
import { hasPythonModules } from '../support/programs.ts'
import { bcryptHash, importFrom, looseTable, oldService, sqlalchemyTable, sqlmodelTable } from './old-service.ts'

const password = 'correct horse battery'

/** An empty database of Keyward, and the command that imports into it. */
async function setUp(dialect: Dialect) {
  const { url, dispose } = await dialect.databaseUrl()
  let app: TestApp | undefined
  return {
    url,
    async import(from: string, ...flags: string[]) {
      if (!flags.includes('--dry-run')) await migrated(url)
      return importFrom(from, url, ...flags)
    },
    /** Starts Keyward on the database. */
    async app() {
      app = await createTestApp({ databaseUrl: url })
      return app
    },
    async [Symbol.asyncDispose]() {
      await app?.close()
      await dispose()
    },
  }
}

const login = (app: TestApp, username: string, typed = password) =>
  app.request('POST', '/token', { form: { username, password: typed } })

async function profile(app: TestApp, username: string, typed?: string) {
  const answer = (await (await login(app, username, typed)).json()) as { access_token: string }
  return (await app.request('GET', '/users/me', { token: answer.access_token })).json()
}

const row = async (id: number, username: string, email = `${username}@example.com`) => ({
  id,
  email,
  username,
  hashed_password: await bcryptHash(password),
  is_active: true,
})

describeEachDialect('an import into Keyward', (dialect) => {
  for (const source of dialects)
    test(`from ${source.name} keeps ids, names, passwords, states and times`, async () => {
      await using target = await setUp(dialect)
      const old = await oldService(source, sqlalchemyTable)
      await old.insert(
        { ...(await row(7, 'Ada', 'Ada@EXAMPLE.com')), created_at: '2024-02-03 04:05:06.789012' },
        { ...(await row(1_000, 'bob')), is_active: false, created_at: null },
      )
      const { code, out, err } = await target.import(old.url)
      expect(err).toBe('')
      expect(code).toBe(0)
      expect(out).toContain('Imported 2 accounts into ')
      expect(out).toContain('1 of them inactive')
      expect(out).toContain('Columns not imported: full_name\n')
      expect(out).toContain('http://localhost:8000/token')
      expect(out).not.toContain(':keyward-test@')

      const app = await target.app()
      expect(await profile(app, 'ada')).toMatchObject({
        id: 7,
        email: 'Ada@example.com',
        username: 'Ada',
        is_active: true,
        email_verified: false,
        created_at: '2024-02-03T04:05:06.789Z',
      })
      expect((await login(app, 'ada@example.com')).status).toBe(200)
      expect((await login(app, 'ada', 'correct horse batterz')).status).toBe(401)
      expect((await login(app, 'bob')).status).toBe(401)
      expect((await app.signUp('carol')).id).toBe(1_001)
    })

  test('reads the SQLModel service, which stores no states and times', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlmodelTable)
    const hash = await bcryptHash(password)
    await old.insert({ id: 1, username: 'testuser', email: 'test@example.com', hash_password: hash })
    expect((await target.import(old.url)).code).toBe(0)
    const app = await target.app()
    const answer = await app.request('POST', '/user/token', { form: { username: 'testuser', password } })
    expect(answer.status).toBe(200)
    expect(await profile(app, 'testuser')).toMatchObject({ id: 1, created_at: '2026-01-01T00:00:00.000Z' })
  })

  test('B5: accepts hashes of every bcrypt library, and rehashes at the first login', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlalchemyTable)
    // 80 bytes, of which passlib used the first 72. Byte 72 is the first half of a letter.
    const long = `${'x'.repeat(71)}ß${'y'.repeat(7)}`
    const cut = await bcryptHash(Buffer.from(long).subarray(0, 72))
    const hash = await bcryptHash(password)
    await old.insert(
      { ...(await row(1, 'php')), hashed_password: hash.replace('$2b$', '$2y$') },
      { ...(await row(2, 'older')), hashed_password: hash.replace('$2b$', '$2a$') },
      { ...(await row(3, 'long')), hashed_password: cut },
    )
    expect((await target.import(old.url)).code).toBe(0)
    const app = await target.app()
    for (const name of ['php', 'older']) expect((await login(app, name)).status).toBe(200)
    expect((await login(app, 'long', long)).status).toBe(200)
    // The whole password counts from now on.
    expect((await login(app, 'long', `${long.slice(0, -1)}z`)).status).toBe(401)
    expect((await login(app, 'long', long)).status).toBe(200)
    expect(await app.process.verifyPassword(long, { hash: cut, scheme: 'bcrypt' })).toEqual({ ok: true, rehash: true })
  })

  test('14.5 accepts Argon2, scrypt, PBKDF2 and Firebase hashes, and replaces each at the first right login', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlalchemyTable)
    const made = hasPythonModules('django', 'passlib', 'argon2', 'bcrypt') ? Object.values(pythonHashes(password)) : []
    const hashes = [...Object.values(fixtures), ...made]
    const rows = hashes.map(async (hash, i) => ({ ...(await row(i + 1, `user${i + 1}`)), hashed_password: hash }))
    await old.insert(...(await Promise.all(rows)))
    await old.insert({ ...(await row(99, 'fire')), hashed_password: firebase.hash })
    expect(await target.import(old.url)).toMatchObject({ code: 0, err: '' })
    const app = await target.app()
    const schemeOf = async (id: number) => (await app.rows.users.one({ id }))?.passwordScheme
    for (const id of hashes.keys()) {
      const name = `user${id + 1}`
      expect((await login(app, name, 'wrong password')).status).toBe(401)
      expect(await schemeOf(id + 1)).toBe('foreign')
      expect((await login(app, name)).status).toBe(200)
      expect(await app.rows.users.one({ id: id + 1 })).toMatchObject({ passwordScheme: 'bun-bcrypt' })
      expect((await login(app, name)).status).toBe(200)
      expect((await login(app, name, 'wrong password')).status).toBe(401)
    }
    expect((await login(app, 'fire', firebase.password)).status).toBe(200)
    expect(await schemeOf(99)).toBe('bun-bcrypt')

    expect((await target.import(old.url)).out).toContain(`${hashes.length + 1} already in Keyward`)
    expect((await login(app, 'user1')).status).toBe(200)
    expect(await schemeOf(1)).toBe('bun-bcrypt')
  }, 60_000)

  test('keeps names that cannot be registered, and finds them in every spelling', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlalchemyTable)
    await old.insert(await row(1, 'José García', 'jose@example.com'), await row(2, 'admin'), await row(3, 'ab'))
    expect((await target.import(old.url)).code).toBe(0)
    const app = await target.app()
    for (const name of ['JOSE\u0301 GARCI\u0301A', 'Admin', 'ab']) expect((await login(app, name)).status).toBe(200)
  })

  test('a second run imports only new accounts and changes none', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlalchemyTable)
    await old.insert(await row(1, 'ada'), await row(2, 'bob'))
    await target.import(old.url)
    const app = await target.app()
    // This login rehashes the password. The old database gets another hash afterwards.
    expect((await login(app, 'ada')).status).toBe(200)
    await old.execute(`UPDATE users SET hashed_password = '${await bcryptHash('another password')}' WHERE id = 1`)

    const again = await target.import(old.url)
    expect(again).toMatchObject({ code: 0, err: '' })
    expect(again.out).toContain('Imported 0 accounts')
    expect(again.out).toContain('2 already in Keyward')
    expect((await login(app, 'ada')).status).toBe(200)

    await old.insert(await row(3, 'carol'))
    expect((await target.import(old.url)).out).toContain('Imported 1 account into')
    expect((await login(app, 'carol')).status).toBe(200)
  })

  test('never makes the database assign an id twice', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlalchemyTable)
    await old.insert(await row(5, 'five'))
    await target.import(old.url)
    const app = await target.app()
    expect((await app.signUp('six')).id).toBe(6)
    await old.insert(await row(2, 'two'))
    await target.import(old.url)
    expect((await app.signUp('seven')).id).toBe(7)
  })

  test('B7: imports nothing if an account has a problem, and lists every problem without personal data', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, looseTable)
    const costly = '$argon2id$v=19$m=1048576,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA'
    const good = { ...(await row(1, 'fine')), id: '1', is_active: 'true' }
    const other = (id: string, changes: Record<string, string | null>) => ({ ...good, id, ...unlike(id), ...changes })
    const unlike = (id: string) => ({ email: `secret${id}@example.com`, username: `secret${id}` })
    const rows: [row: Record<string, string | null>, reason: RegExp][] = [
      [other('2', { email: 'secret' }), /^id 2: the email address is not valid$/m],
      [other('3', { email: 'secret@example.com, x@example.com' }), /^id 3: the email address is not valid$/m],
      [other('4', { email: null }), /^id 4: there is no email address$/m],
      [other('5', { username: 'secret@example.com' }), /^id 5: the username contains an @/m],
      [other('6', { username: ' secret' }), /^id 6: the username is empty, too long, begins or ends with a space/m],
      [other('7', { username: 'sec\tret' }), /^id 7: the username is empty/m],
      [other('9', { hashed_password: null }), /^id 9: there is no password hash$/m],
      [other('10', { hashed_password: '' }), /^id 10: there is no password hash$/m],
      [
        other('11', { hashed_password: 'secret' }),
        /^id 11: the password hash is not bcrypt, Argon2, scrypt or PBKDF2/m,
      ],
      [other('12', { hashed_password: good.hashed_password.replace('$04$', '$31$') }), /^id 12: the password hash/m],
      [other('13', { hashed_password: good.hashed_password.replace('$2b$', '$2x$') }), /^id 13: the password hash/m],
      [other('14', { hashed_password: good.hashed_password.slice(0, -1) }), /^id 14: the password hash/m],
      [other('35', { hashed_password: '$argon2id$v=19$m=1' }), /^id 35: the password hash is malformed$/m],
      [other('36', { hashed_password: costly }), /^id 36: the password hash needs more time or memory than/m],
      [other('15', { is_active: 'secret' }), /^id 15: is_active is neither true nor false$/m],
      [other('16', { is_active: null }), /^id 16: is_active is neither true nor false$/m],
      [other('x'.repeat(129), {}), /^id x{40}: the id is missing, is longer than 128/m],
      [other('0b5f\u001b[2J', {}), /^id 0b5f\\u001b\[2J: the id is/m],
      [{ ...good, id: null, ...unlike('none') }, /^the account without an id: the id is missing/m],
      [other('20', { email: 'Twin@example.com' }), /^id 20: id 21 has the same email address/m],
      [other('21', { email: 'twin@EXAMPLE.com' }), /^id 21: id 20 has the same email address/m],
      [other('22', { username: 'Twin' }), /^id 22: id 23 has the same username/m],
      [other('23', { username: 'ｔｗｉｎ' }), /^id 23: id 22 has the same username/m],
      [other('24', {}), /^id 24: another account has the same id$/m],
      [
        { ...other('24', {}), email: 'secret24b@example.com', username: 'secret24b' },
        /^id 24: another account has the same id$/m,
      ],
      [other('25', { email: 'x', username: ' ' }), /^id 25: the email address is not valid; the username is empty/m],
    ]
    await old.insert(good, ...rows.map(([bad]) => bad))

    const refused = await target.import(old.url)
    expect(refused.code).toBe(1)
    for (const [, reason] of rows) expect(refused.err).toMatch(reason)
    expect(refused.err).toContain(`Nothing was imported: ${rows.length} of ${rows.length + 1} accounts have a problem`)
    expect(refused.err.trim().split('\n')).toHaveLength(rows.length + 1)
    const said = refused.out + refused.err
    for (const secret of ['secret', 'twin@', '$04$', '\u001b']) expect(said).not.toContain(secret)
    const app = await target.app()
    expect((await login(app, 'fine')).status).toBe(401)

    const skipped = await target.import(old.url, '--skip-invalid')
    expect(skipped.code).toBe(0)
    for (const [, reason] of rows) expect(skipped.err).toMatch(reason)
    expect(skipped.out).toContain('Imported 1 account into')
    expect(skipped.out).toContain(`${rows.length} left out`)
    expect((await login(app, 'fine')).status).toBe(200)
    for (const name of ['secret2', 'Twin', 'ｔｗｉｎ', 'secret24']) expect((await login(app, name)).status).toBe(401)
  })

  test('does not change accounts that Keyward already has', async () => {
    await using target = await setUp(dialect)
    const app = await target.app()
    const ada = await app.signUp('ada')
    const bob = await app.signUp('bob', 'another password')
    const old = await oldService(dialect, sqlalchemyTable)
    await old.insert(
      await row(ada.id, 'stranger'),
      await row(11, 'BOB', 'unlike@example.com'),
      await row(12, 'unlike', 'Ada@example.com'),
      await row(13, 'free'),
    )
    const refused = await target.import(old.url)
    expect(refused.code).toBe(1)
    expect(refused.err).toContain(`id ${ada.id}: Keyward has an account with this id and another email address or user`)
    expect(refused.err).toContain(`id 11: the username belongs to the account with id ${bob.id} in Keyward`)
    expect(refused.err).toContain(`id 12: the email address belongs to the account with id ${ada.id} in Keyward`)
    expect((await login(app, 'free')).status).toBe(401)

    expect((await target.import(old.url, '--skip-invalid')).code).toBe(0)
    expect((await login(app, 'free')).status).toBe(200)
    expect((await login(app, 'bob', 'another password')).status).toBe(200)
    expect((await login(app, 'bob')).status).toBe(401)
    expect((await login(app, 'ada@example.com', ada.password)).status).toBe(200)
  })

  test('with --dry-run prints the same and writes nothing', async () => {
    await using target = await setUp(dialect)
    const old = await oldService(dialect, sqlalchemyTable)
    await old.insert(await row(1, 'ada'))
    const onEmpty = await target.import(old.url, '--dry-run')
    expect(onEmpty).toMatchObject({ code: 0, err: '' })
    expect(onEmpty.out).toContain('Would import 1 account into')
    expect(onEmpty.out).toEndWith('Nothing was written.\n')
    if (dialect.name === 'sqlite') expect(existsSync(sqliteFile(target.url))).toBe(false)
    const status = await keyward(['migrate', 'status'], { databaseUrl: target.url })
    expect(status.out).toContain(' pending')
    expect(status.out).not.toMatch(/ \d{4}-\d\d-\d\d /)

    const app = await target.app()
    await app.signUp('taken')
    await old.insert(await row(2, 'taken'))
    const refused = await target.import(old.url, '--dry-run')
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/^id 2: /m)
    expect((await target.import(old.url, '--dry-run', '--skip-invalid')).code).toBe(0)
    expect((await login(app, 'ada')).status).toBe(401)
  })
})
