import { expect, test } from 'bun:test'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSourceFile } from '../../src/features/import/source-file.ts'
import { answered, type Page, person } from '../administration/support.ts'
import { fixturePassword, fixtures } from '../passwords/foreign-hashes.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { scratchFolder } from '../support/scratch.ts'
import { bcryptHash } from './old-service.ts'

const hash = fixtures['django scrypt']!

function file(name: string, text: string): string {
  const path = join(scratchFolder('file'), name)
  writeFileSync(path, text)
  return path
}

const jsonl = (...rows: unknown[]) =>
  file('users.jsonl', rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'))

const login = (app: TestApp, username: string, password = fixturePassword) =>
  app.request('POST', '/token', { form: { username, password } })

async function profile(app: TestApp, username: string) {
  const { access_token: token } = (await (await login(app, username)).json()) as { access_token: string }
  return (await app.request('GET', '/users/me', { token })).json()
}

describeEachDialect('14.5 an import of a file', (dialect) => {
  async function setUp() {
    const { url, dispose } = await dialect.databaseUrl()
    await migrated(url)
    let app: TestApp | undefined
    return {
      import: (from: string, ...flags: string[]) => keyward(['import', '--from', from, ...flags], { databaseUrl: url }),
      app: async () => (app = await createTestApp({ databaseUrl: url })),
      async [Symbol.asyncDispose]() {
        await app?.close()
        await dispose()
      },
    }
  }

  test('of JSON lines takes over every field, and its users log in', async () => {
    await using target = await setUp()
    const keycloak = JSON.parse(fixtures['keycloak pbkdf2-sha256']!)
    const path = jsonl(
      {
        id: 7,
        email: 'Ada@EXAMPLE.com',
        username: 'Ada',
        password_hash: hash,
        is_active: true,
        created_at: '2024-02-03 04:05:06.789',
        name: 'Ada Lovelace',
        locale: 'de-AT',
        plan: 'gold',
        email_verified: true,
      },
      '',
      { id: '9', email: 'bob@example.com', username: 'bob', password_hash: keycloak, is_active: false },
      { email: 'carol@example.com', username: null, password_hash: await bcryptHash(fixturePassword) },
      { email: 'dave@example.com', username: 'dave' },
    )
    const before = readFileSync(path)
    const { code, out, err } = await target.import(path)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Imported 4 accounts into ')
    expect(out).toContain('Columns not imported: plan, email_verified\n')
    expect(readFileSync(path)).toEqual(before)

    const app = await target.app()
    expect(await profile(app, 'ada')).toMatchObject({
      id: 7,
      email: 'Ada@example.com',
      username: 'Ada',
      name: 'Ada Lovelace',
      locale: 'de',
      email_verified: false,
      created_at: '2024-02-03T04:05:06.789Z',
    })
    expect((await login(app, 'bob')).status).toBe(401)
    expect((await login(app, 'dave')).status).toBe(401)
    const carol = (await profile(app, 'carol@example.com')) as { username: string; id: number }
    expect(carol.username).toMatch(/^carol\.\d{9}$/)
    expect(carol.id).toBeGreaterThan(9)
    expect((await app.signUp('erin')).id).toBeGreaterThan(carol.id)
  })

  test('grants roles only with --trust-roles, only those that exist, and only to whom it adds', async () => {
    await using target = await setUp()
    const path = file(
      'users.csv',
      [
        'id,email,username,roles,is_active,inactive_until,invited_at',
        '1,ada@example.com,ada,"admin, user admin",true,2050-01-01,',
        '2,bob@example.com,bob,"[""admin"",""none""]",false,2050-01-01T00:00:00Z,',
        '3,carol@example.com,carol,"[""admin""",true,,',
        '4,dave@example.com,dave,,false,soon,2024-02-03',
        '5,erin@example.com,erin,user,true,,2024-02-03',
      ].join('\n'),
    )
    const trusted = await target.import(path, '--trust-roles', '--skip-invalid')
    expect([trusted.code, trusted.err.trimEnd().split('\n')]).toEqual([
      0,
      [
        'line 3, id 2, "bob": there is no role "none" in Keyward',
        'line 4, id 3, "carol": roles is no list of names',
        'line 5, id 4, "dave": inactive_until is no time after 1970',
      ],
    ])
    expect(trusted.out).toContain('Imported 2 accounts')
    expect(trusted.out).toContain('  1 role was granted\n')
    const untrusted = await target.import(path, '--skip-invalid')
    expect(untrusted.out).toContain('Imported 2 accounts')
    expect(untrusted.out).toContain('Columns not imported: roles\n  --trust-roles grants the roles\n')
    expect((await target.import(path, '--trust-roles', '--skip-invalid')).out).toContain('Imported 0 accounts')
    const database = await target.import('sqlite:////none.db', '--trust-roles')
    expect([database.code, database.err]).toEqual([2, expect.stringContaining('--trust-roles is for files')])

    const app = await target.app()
    const roles = await app.rows.userRoles.all()
    expect(roles.map(({ userId, role }) => [userId, role])).toEqual([[1, 'admin']])
    const [ada, bob, , erin] = await app.rows.users.all()
    expect(ada).toMatchObject({ isActive: true, inactiveUntil: null, invitedAt: null })
    expect(bob).toMatchObject({ isActive: false, inactiveUntil: Date.UTC(2050, 0, 1) })
    expect(erin).toMatchObject({ isActive: true, invitedAt: Date.UTC(2024, 1, 3) })
  })

  test('again changes nobody, whether with an id or without, nor a password changed since', async () => {
    await using target = await setUp()
    const path = jsonl(
      { id: 3, email: 'ada@example.com', username: 'ada', password_hash: hash },
      { email: 'bob@example.com', username: 'bob', password_hash: hash },
      { email: 'carol@example.com', password_hash: hash },
    )
    expect((await target.import(path)).code).toBe(0)
    const app = await target.app()
    for (const name of ['ada', 'bob']) {
      const { id } = (await profile(app, name)) as { id: number }
      await app.admin.setPassword(id, 'a new horse battery')
    }
    const again = await target.import(path)
    expect(again).toMatchObject({ code: 0, err: '' })
    expect(again.out).toContain('Imported 0 accounts')
    expect(again.out).toContain('3 already in Keyward')
    for (const name of ['ada', 'bob']) {
      expect((await login(app, name, 'a new horse battery')).status).toBe(200)
      expect((await login(app, name)).status).toBe(401)
    }
    expect((await login(app, 'carol@example.com')).status).toBe(200)
    expect(await app.rows.users.all()).toHaveLength(3)
  })

  test('keeps ids that are no numbers, by which administrators find the user and a second import too', async () => {
    await using target = await setUp()
    const uuid = 'A3A2F0F4-6f63-4a26-9d0c-1f2b3c4d5e6f'
    const rows = [
      { id: uuid, email: 'ada@example.com', password_hash: hash },
      { id: '9007199254740993', email: 'bob@example.com', username: 'bob', password_hash: hash },
      { id: '_', email: 'carol@example.com' },
    ]
    expect(await target.import(jsonl(...rows))).toMatchObject({ code: 0, err: '' })
    const app = await target.app()
    const boss = await person(app, 'boss', 'admin')
    const found = async (externalId: string) => {
      const query = `?external_id=${encodeURIComponent(externalId)}`
      const { items } = await answered<Page<{ email: string }>>(
        app.request('GET', `/admin/users${query}`, { token: boss.token }),
      )
      return items.map(({ email }) => email)
    }
    expect(await found(uuid)).toEqual(['ada@example.com'])
    expect(await found('9007199254740993')).toEqual(['bob@example.com'])
    expect(await found('_')).toEqual(['carol@example.com'])
    for (const other of [uuid.toLowerCase(), '%', 'A3A2', '1']) expect(await found(other)).toEqual([])
    await expectRefusal(
      await app.request('GET', '/admin/users?external_id=', { token: boss.token }),
      'validation_failed',
    )

    // Neither the address, the username nor the password decide whether such an account is the same.
    const { access_token: token } = (await (await login(app, 'bob')).json()) as { access_token: string }
    expect((await app.request('PATCH', '/users/me', { token, json: { username: 'robert' } })).status).toBe(200)
    rows[0]!.email = 'lovelace@example.com'
    const again = await target.import(jsonl(...rows, { id: uuid.toLowerCase(), email: 'dave@example.com' }))
    expect(again).toMatchObject({ code: 0, err: '' })
    expect(again.out).toContain('Imported 1 account into')
    expect(again.out).toContain('3 already in Keyward')
    expect((await login(app, 'ada@example.com')).status).toBe(200)

    const twins = [
      { id: 'x', email: 'x@example.com' },
      { id: 'x', email: 'y@example.com' },
    ]
    const refused = await target.import(jsonl(...twins))
    expect(refused.err).toContain('line 1, id x: another account has the same id\nline 2, id x: another account')
    expect(await found('x')).toEqual([])
  })

  test('imports many users with and without ids, more than one statement takes', async () => {
    await using target = await setUp()
    const rows = Array.from({ length: 1_300 }, (_, i) => ({
      ...(i % 2 ? { id: i } : {}),
      email: `user${i}@example.com`,
      password_hash: hash,
    }))
    expect((await target.import(jsonl(...rows))).out).toContain('Imported 1,300 accounts')
    const app = await target.app()
    expect(await app.rows.users.all()).toHaveLength(1_300)
    expect(await profile(app, 'user1299@example.com')).toMatchObject({ id: 1_299 })
    expect((await target.import(jsonl(...rows))).out).toContain('1,300 already in Keyward')
  })

  test('of CSV reads quotes, line breaks and both line ends', async () => {
    await using target = await setUp()
    const lines = [
      '\ufeffemail,Username,name,password_hash,email_verified',
      `ada@example.com,ada,"Lovelace, ""Ada""",${hash},t`,
      '',
      `"bob@example.com",bob,,"${hash}",0`,
      '"broken',
      'line@example.com",x y,,,',
      'few@example.com,few',
      'carol@example.com,carol,,,',
    ]
    const path = file('users.csv', lines.join('\r\n'))
    const { code, out, err } = await target.import(path, '--skip-invalid', '--trust-verified')
    expect(err.split('\n')).toEqual([
      'line 5, "x y": the email address is not valid',
      'line 7: the line has 2 values and not 5, as the first line has',
      '',
    ])
    expect(code).toBe(0)
    expect(out).toContain('Imported 3 accounts')
    expect(out).not.toContain('Columns not imported')
    const app = await target.app()
    expect(await profile(app, 'ada')).toMatchObject({ name: 'Lovelace, "Ada"', email_verified: true })
    expect(await profile(app, 'bob')).toMatchObject({ name: null, email_verified: false })
  })

  test('refuses each bad row alone, in one line with its number, id, name and reason', async () => {
    await using target = await setUp()
    const app = await target.app()
    const taken = await app.signUp('taken')
    const bad: [row: unknown, report: string][] = [
      ['{"email":', 'line 1: the line is not a JSON object'],
      ['["x"]', 'line 2: the line is not a JSON object'],
      [{ username: 'nobody' }, 'line 3, "nobody": there is no email address'],
      [
        { id: 'a\u0007b', email: 'a@example.com' },
        'line 4, id a\\u0007b: the id is missing, is longer than 128 characters, or contains control characters',
      ],
      [
        { id: 5, email: 'b@example.com', username: 'b\u001b', password_hash: `${hash}$` },
        'line 5, id 5, "b\\u001b": the username is empty, too long, begins or ends with a space, or contains characters that cannot be typed; the password hash is malformed',
      ],
      [{ email: 'Twin@example.com' }, 'line 6: line 7 has the same email address, ignoring case'],
      [{ email: 'twin@example.com', username: 't' }, 'line 7, "t": line 6 has the same email address, ignoring case'],
      [{ email: 'c@example.com', is_active: 'maybe' }, 'line 8: is_active is neither true nor false'],
      [{ email: 'd@example.com', email_verified: 2 }, 'line 9: email_verified is neither true nor false'],
      [
        { email: taken.email, username: 'taken2' },
        `line 10, "taken2": the email address belongs to the account with id ${taken.id} in Keyward`,
      ],
      [`{"email":"${'x'.repeat(70_000)}"}`, 'line 11: the line is longer than 65536 characters'],
      [
        { email: 'e@example.com', name: 'a\nb' },
        'line 12: the name must have 1 to 100 characters and no control characters',
      ],
      [
        { email: 'f@example.com', created_at: 'yesterday', email_verified: true, email_verified_at: '2024-13-01' },
        'line 13: created_at is no time after 1970; email_verified_at is no time after 1970',
      ],
    ]
    const path = jsonl(...bad.map(([row]) => row), { email: 'fine@example.com', username: 'fine', password_hash: hash })
    const reports = bad.map(([, report]) => report)
    for (const flags of [['--trust-verified'], ['--trust-verified', '--dry-run']]) {
      const refused = await target.import(path, ...flags)
      expect(refused.code).toBe(1)
      expect(refused.err.split('\n').slice(0, -2)).toEqual(reports)
      expect(refused.err).toContain('Nothing was imported: 13 of 14 accounts have a problem')
      expect((await login(app, 'fine')).status).toBe(401)
    }
    const skipped = await target.import(path, '--trust-verified', '--skip-invalid')
    expect(skipped.code).toBe(0)
    expect(skipped.err.trimEnd().split('\n')).toEqual(reports)
    expect((await login(app, 'fine')).status).toBe(200)
    expect(await app.rows.users.all()).toHaveLength(2)
  })
})

test('14.5 a file that cannot be read is refused whole', async () => {
  const databaseUrl = await migrated(`sqlite:///${join(scratchFolder('target'), 'keyward.db')}`)
  for (const [path, message] of [
    [join(scratchFolder('none'), 'nosuch.csv'), /^Cannot read \/.*\/nosuch\.csv: there is no such file.*\(ENOENT\)$/m],
    [
      file('a.csv', 'name,username\nx,y\n'),
      /^The first line of a CSV file must name its columns, each once, among them "email"/,
    ],
    [file('b.csv', 'email,email\n'), /^The first line of a CSV file must name/],
    [file('c.csv', 'email,name\na@example.com,"x\ny\n'), /^Line 2 of the file: a quote is not closed/],
    [
      file('d.csv', `email,name\na@example.com,"${'x\n'.repeat(40_000)}`),
      /^Line 2 of the file: the record is too long/,
    ],
  ] as const) {
    const { code, out, err } = await keyward(['import', '--from', path], { databaseUrl })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
  }
})

test('14.5 twins far apart are both reported, and a file that changes during the import is refused', async () => {
  const databaseUrl = await migrated(`sqlite:///${join(scratchFolder('target'), 'keyward.db')}`)
  const rows = Array.from({ length: 9_000 }, (_, at) => ({ email: `user${at}@example.com`, username: `user${at}` }))
  rows[8_999] = { email: 'USER0@example.com', username: 'other' }
  rows[7_000] = { email: 'someone@example.com', username: 'User6000' }
  const path = jsonl(...rows)
  const { code, err } = await keyward(['import', '--from', path], { databaseUrl })
  expect(code).toBe(1)
  expect(err.split('\n').slice(0, -2)).toEqual([
    'line 1, "user0": line 9000 has the same email address, ignoring case',
    'line 6001, "user6000": line 7001 has the same username, ignoring case and letter forms',
    'line 7001, "User6000": line 6001 has the same username, ignoring case and letter forms',
    'line 9000, "other": line 1 has the same email address, ignoring case',
  ])
  const { out } = await keyward(['import', '--from', path, '--skip-invalid'], { databaseUrl })
  expect(out).toContain('Imported 8,996 accounts')

  const source = await openSourceFile(path, { trustVerified: false })
  appendFileSync(path, '\n{}')
  await expect(source.rows().next()).rejects.toThrow('The file has changed during the import')
})
