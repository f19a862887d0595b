import { expect, test } from 'bun:test'
import { scryptSync } from 'node:crypto'
import { answered, type Page, person } from '../administration/support.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { migrated } from '../support/cli.ts'
import { type Dialect, describeEachDialect } from '../support/dialects.ts'
import { bcryptHash, importFrom, type OldRow, type OldService, oldService } from './old-service.ts'

const password = 'correct horse battery'
const uuid = (last: number) => `0b5f8f3e-6a55-4a38-9f0d-00000000000${last}`

/** What an import said, and Keyward on the database after it. */
interface Imported {
  out: string
  err: string
  code: number
  app: TestApp
}

async function withImport(
  { dialect, old, flags = [] }: { dialect: Dialect; old: OldService; flags?: string[] },
  look: (imported: Imported) => Promise<void>,
): Promise<void> {
  const target = await dialect.databaseUrl()
  await migrated(target.url)
  const said = await importFrom(old.url, target.url, ...flags)
  const app = await createTestApp({ databaseUrl: target.url })
  await look({ ...said, app })
  await app.close()
  await target.dispose()
}

const insert = (old: OldService, table: string, ...rows: OldRow[]) =>
  old.execute(
    rows
      .map((row) => {
        const values = Object.values(row).map((value) =>
          typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value),
        )
        return `INSERT INTO ${table} (${Object.keys(row).map((name) => `"${name}"`)}) VALUES (${values})`
      })
      .join(';'),
  )

const login = async (app: TestApp, username: string, typed = password) =>
  (await app.request('POST', '/token', { form: { username, password: typed } })).status

async function byExternalId(app: TestApp, externalId: string) {
  const { token } = await person(app, `boss${externalId.slice(-1)}`, 'admin')
  const path = `/admin/users?external_id=${encodeURIComponent(externalId)}`
  return (await answered<Page<Record<string, unknown>>>(app.request('GET', path, { token }))).items
}

describeEachDialect('14.5 an import of fastapi-users', (dialect) => {
  test('reads its table, which may be called users', async () => {
    for (const table of ['"user"', 'users']) {
      const old = await oldService(
        dialect,
        `CREATE TABLE ${table} (email VARCHAR(320) NOT NULL, hashed_password VARCHAR(1024) NOT NULL, is_active BOOLEAN NOT NULL,
          is_superuser BOOLEAN NOT NULL, is_verified BOOLEAN NOT NULL, id CHAR(36) NOT NULL PRIMARY KEY)`,
      )
      const row = {
        is_active: true,
        is_superuser: false,
        is_verified: true,
        hashed_password: await bcryptHash(password),
      }
      await insert(
        old,
        table,
        { ...row, id: uuid(1), email: 'ada@example.com' },
        { ...row, id: uuid(2), email: 'bob@example.com', is_active: false, is_superuser: true },
      )
      await withImport({ dialect, old, flags: ['--trust-verified'] }, async ({ app, out, err }) => {
        expect(err).toBe('')
        expect(out).toContain('Imported 2 accounts into ')
        expect(out).toContain('1 of them with more rights in the old service, which count for nothing here')
        expect(await login(app, 'ada@example.com')).toBe(200)
        expect(await login(app, 'bob@example.com')).toBe(401)
        expect(await byExternalId(app, uuid(1))).toMatchObject([
          { email: 'ada@example.com', email_verified: true, roles: ['user'], is_active: true },
        ])
        expect(await byExternalId(app, uuid(2))).toMatchObject([{ is_active: false, roles: ['user'] }])
      })
    }
  })
})

describeEachDialect('14.5 an import of Django', (dialect) => {
  const authUser = (name: string) => `CREATE TABLE ${name} (id INTEGER NOT NULL PRIMARY KEY,
    password VARCHAR(128) NOT NULL, last_login TIMESTAMP, is_superuser BOOLEAN NOT NULL, username VARCHAR(150) NOT NULL UNIQUE,
    first_name VARCHAR(150) NOT NULL, last_name VARCHAR(150) NOT NULL, email VARCHAR(254) NOT NULL,
    is_staff BOOLEAN NOT NULL, is_active BOOLEAN NOT NULL, date_joined TIMESTAMP NOT NULL)`
  const row = {
    last_login: null,
    is_superuser: false,
    is_staff: false,
    is_active: true,
    first_name: '',
    last_name: '',
    date_joined: '2024-02-03 04:05:06.789012',
  }

  test('keeps ids, names and passwords, also of another user model, and reports who has no address', async () => {
    for (const [table, flags] of [
      ['auth_user', []],
      ['people_person', ['--format', 'django', '--table', 'people_person']],
    ] as const) {
      const old = await oldService(dialect, authUser(table))
      const bcrypt = await bcryptHash(password)
      await insert(
        old,
        table,
        {
          ...row,
          id: 7,
          username: 'Ada',
          email: 'ada@example.com',
          password: `bcrypt$${bcrypt}`,
          first_name: 'Ada',
          last_name: 'Lovelace',
        },
        {
          ...row,
          id: 8,
          username: 'root',
          email: 'root@example.com',
          password: '!unusable',
          is_superuser: true,
          is_staff: true,
          first_name: 'x'.repeat(101),
        },
        { ...row, id: 9, username: 'nobody', email: '', password: bcrypt },
        { ...row, id: 10, username: 'ADA2', email: 'ADA@example.com', password: bcrypt, is_active: false },
      )
      await withImport({ dialect, old, flags: [...flags, '--skip-invalid'] }, async ({ app, out, err }) => {
        expect(err.trim().split('\n')).toEqual([
          'id 7: id 10 has the same email address, ignoring case',
          'id 9: there is no email address',
          'id 10: id 7 has the same email address, ignoring case',
        ])
        expect(out).toContain('Imported 1 account into ')
        expect(out).toContain('1 of them with more rights')
        expect(await login(app, 'root', '!unusable')).toBe(401)
        expect(await app.rows.users.one({ id: 8 })).toMatchObject({ passwordHash: null, name: null })
        expect(await app.admin.permissionsOf(8)).toEqual([])
      })
      await old.execute(`DELETE FROM ${table} WHERE id > 8`)
      await withImport({ dialect, old, flags: [...flags] }, async ({ app, err }) => {
        expect(err).toBe('')
        expect(await login(app, 'ada')).toBe(200)
        expect(await app.rows.users.one({ id: 7 })).toMatchObject({
          username: 'Ada',
          name: 'Ada Lovelace',
          createdAt: Date.UTC(2024, 1, 3, 4, 5, 6, 789),
        })
      })
    }
  })
})

describeEachDialect('14.5 an import of better-auth', (dialect) => {
  const time = dialect.name === 'sqlite' ? 'DATE' : 'TIMESTAMPTZ'
  const flag = dialect.name === 'sqlite' ? 'INTEGER' : 'BOOLEAN'
  const key = scryptSync(password, 'c0ffee00c0ffee00c0ffee00c0ffee00', 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 26 })
  const hash = `c0ffee00c0ffee00c0ffee00c0ffee00:${key.toString('hex')}`
  const at = '2024-02-03T04:05:06.789Z'

  test('reads users and their passwords, in camel case and in snake case, and passes over other providers', async () => {
    const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    for (const spell of [(name: string) => name, snake]) {
      const [user, account] = spell === snake ? ['users', 'accounts'] : ['"user"', 'account']
      const named = (row: OldRow): OldRow =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [spell(name), value]))
      const old = await oldService(
        dialect,
        `CREATE TABLE ${user} ("id" TEXT NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "email" TEXT NOT NULL UNIQUE,
          "${spell('emailVerified')}" ${flag} NOT NULL, "image" TEXT, "${spell('createdAt')}" ${time} NOT NULL,
          "${spell('updatedAt')}" ${time} NOT NULL, "role" TEXT, "banned" ${flag}, "${spell('banExpires')}" ${time});
        CREATE TABLE ${account} ("id" TEXT NOT NULL PRIMARY KEY, "${spell('accountId')}" TEXT NOT NULL,
          "${spell('providerId')}" TEXT NOT NULL, "${spell('userId')}" TEXT NOT NULL, "password" TEXT,
          "${spell('createdAt')}" ${time} NOT NULL, "${spell('updatedAt')}" ${time} NOT NULL)`,
      )
      const no = dialect.name === 'sqlite' ? 0 : false
      const yes = dialect.name === 'sqlite' ? 1 : true
      const times = { createdAt: at, updatedAt: at }
      const person = (id: string, more: OldRow = {}) =>
        named({
          id,
          name: `The ${id}`,
          email: `${id}@example.com`,
          emailVerified: yes,
          ...times,
          role: 'user',
          ...more,
        })
      const credential = (id: string, providerId: string, password: string | null) =>
        named({ id: `${providerId}${id}`, accountId: id, userId: id, providerId, password, ...times })
      await insert(
        old,
        user!,
        person('u1'),
        person('u2', { role: 'user,admin' }),
        person('u3', { banned: yes }),
        person('u4', { banned: yes, banExpires: '2025-01-01T00:00:00.000Z', emailVerified: no }),
      )
      await insert(
        old,
        account!,
        credential('u1', 'credential', hash),
        credential('u1', 'github', null),
        credential('u2', 'google', null),
        credential('u3', 'credential', hash),
        credential('u4', 'credential', hash),
      )
      await withImport({ dialect, old }, async ({ app, out, err }) => {
        expect(err).toBe('')
        expect(out).toContain('Imported 4 accounts into ')
        expect(out).toContain('1 of them inactive')
        expect(out).toContain('1 of them with more rights')
        expect(out).toContain(spell('emailVerified'))
        const statuses = ['u1', 'u2', 'u3', 'u4'].map((id) => login(app, `${id}@example.com`))
        expect(await Promise.all(statuses)).toEqual([200, 401, 401, 200])
        expect(await byExternalId(app, 'u1')).toMatchObject([
          { name: 'The u1', email_verified: false, created_at: at, username: expect.stringMatching(/^u1\.\d{9}$/) },
        ])
      })
    }
  })
})

describeEachDialect('14.5 an import', (dialect) => {
  test.skipIf(dialect.name !== 'sqlite')('of PocketBase reads data.db of 0.22 and of 0.23', async () => {
    const hash = await bcryptHash(password)
    const common = `id TEXT PRIMARY KEY NOT NULL, email TEXT DEFAULT '' NOT NULL, "emailVisibility" BOOLEAN DEFAULT FALSE NOT NULL,
      "tokenKey" TEXT NOT NULL, verified BOOLEAN DEFAULT FALSE NOT NULL, name TEXT DEFAULT '' NOT NULL,
      avatar TEXT DEFAULT '' NOT NULL, created TEXT DEFAULT '' NOT NULL, updated TEXT DEFAULT '' NOT NULL`
    const created = '2024-02-03 04:05:06.789Z'
    const row = { id: 'abcdefghij12345', email: 'ada@example.com', tokenKey: 'x', verified: true, created }
    for (const [columns, more, username] of [
      [
        `${common}, "passwordHash" TEXT NOT NULL, username TEXT NOT NULL`,
        { passwordHash: hash, username: 'ada' },
        'ada',
      ],
      [`${common}, password TEXT NOT NULL`, { password: hash }, expect.stringMatching(/^ada\.\d{9}$/)],
    ] as const) {
      const old = await oldService(dialect, `CREATE TABLE users (${columns})`)
      await insert(old, 'users', { ...row, ...more })
      await withImport({ dialect, old, flags: ['--trust-verified'] }, async ({ app, err }) => {
        expect(err).toBe('')
        expect(await login(app, 'ada@example.com')).toBe(200)
        expect(await byExternalId(app, row.id)).toMatchObject([
          { username, email_verified: true, created_at: '2024-02-03T04:05:06.789Z', name: null },
        ])
      })
    }
  })

  test.skipIf(dialect.name !== 'postgresql')('of Supabase reads the schema auth', async () => {
    const old = await oldService(
      dialect,
      `CREATE SCHEMA auth; CREATE TABLE auth.users (instance_id uuid, id uuid NOT NULL PRIMARY KEY, aud varchar(255),
        role varchar(255), email varchar(255), encrypted_password varchar(255), email_confirmed_at timestamptz,
        raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin bool, created_at timestamptz, phone text,
        banned_until timestamptz, is_sso_user bool NOT NULL DEFAULT false, deleted_at timestamptz,
        is_anonymous bool NOT NULL DEFAULT false)`,
    )
    const at = '2024-02-03 04:05:06.789+02'
    const row = {
      aud: 'authenticated',
      role: 'authenticated',
      encrypted_password: await bcryptHash(password),
      email_confirmed_at: at,
      created_at: at,
      raw_app_meta_data: '{"provider":"email"}',
      raw_user_meta_data: '{"full_name":"The User","sub":"x"}',
    }
    await insert(
      old,
      'auth.users',
      { ...row, id: uuid(1), email: 'ada@example.com' },
      { ...row, id: uuid(2), email: 'bob@example.com', banned_until: '2126-01-01 00:00:00+00' },
      { ...row, id: uuid(3), email: 'carol@example.com', banned_until: '2025-01-01 00:00:00+00' },
      { ...row, id: uuid(4), email: 'dave@example.com', banned_until: 'infinity', email_confirmed_at: null },
      { ...row, id: uuid(5), email: 'erin@example.com', encrypted_password: '', raw_user_meta_data: null },
      { ...row, id: uuid(6), email: 'gone@example.com', deleted_at: at },
      { ...row, id: uuid(7), email: null, is_anonymous: true },
      { ...row, id: uuid(8), email: null, is_sso_user: true },
    )
    const flags = ['--trust-verified', '--skip-invalid']
    await withImport({ dialect, old, flags }, async ({ app, out, err }) => {
      expect(err.trim().split('\n')).toEqual([
        `id ${uuid(6)}: the account is deleted there`,
        `id ${uuid(7)}: the account is anonymous and has no email address`,
        `id ${uuid(8)}: there is no email address`,
      ])
      expect(out).toContain('Imported 5 accounts into ')
      const names = ['ada', 'bob', 'carol', 'dave', 'erin']
      const statuses = await Promise.all(names.map((name) => login(app, `${name}@example.com`)))
      expect(statuses).toEqual([200, 401, 200, 401, 401])
      expect(await byExternalId(app, uuid(1))).toMatchObject([
        { email_verified: true, created_at: '2024-02-03T02:05:06.789Z', name: 'The User' },
      ])
      expect(await byExternalId(app, uuid(4))).toMatchObject([{ email_verified: false, is_active: false }])
    })
  })

  test('asks which service is meant when the tables fit two, and says what a table of the asked one must have', async () => {
    const old = await oldService(
      dialect,
      `CREATE TABLE users (id INTEGER, email VARCHAR, username VARCHAR, hashed_password VARCHAR);
      CREATE TABLE auth_user (id INTEGER, email VARCHAR, password VARCHAR, last_login TIMESTAMP)`,
    )
    await insert(old, 'users', {
      id: 1,
      email: 'ada@example.com',
      username: 'ada',
      hashed_password: await bcryptHash('x'),
    })
    await withImport({ dialect, old }, async ({ code, err }) => {
      expect([code, err]).toEqual([1, expect.stringContaining('choose with --format fastapi or --format django')])
    })
    await withImport({ dialect, old, flags: ['--format', 'better-auth'] }, async ({ code, err }) => {
      expect(code).toBe(1)
      expect(err).toContain('better-auth has a table "user" with id, email, emailVerified or email_verified')
    })
    await withImport({ dialect, old, flags: ['--format', 'fastapi'] }, async ({ app, err }) => {
      expect(err).toBe('')
      expect(await app.rows.users.count()).toBe(1)
    })
    for (const [flags, message] of [
      [['--format', 'oracle'], '--format takes one of fastapi-users, fastapi, pocketbase'],
      [['--source', 'a b'], '--source takes 1 to 64 letters'],
    ] as const)
      await withImport({ dialect, old, flags: [...flags] }, async ({ code, err }) => {
        expect([code, err]).toEqual([2, expect.stringContaining(message)])
      })
    await withImport({ dialect, old, flags: ['--format', 'fastapi', '--trust-verified'] }, async ({ code, err }) => {
      expect([code, err]).toEqual([1, expect.stringContaining('does not store which addresses are verified')])
    })
  })
})
