import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { MINUTE } from '../../src/lib/clock.ts'
import { enrol } from '../enrollment/support.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { scratchFolder } from '../support/scratch.ts'

const password = 'correct horse battery'

/** Runs a command line whose words contain no spaces. */
const run = (line: string, databaseUrl: string) => keyward(line.split(' '), { databaseUrl })

/** Flips the bytes in the middle of a file's second page, where SQLite keeps the cells of a table. */
function damage(file: string): void {
  const bytes = readFileSync(file)
  for (let at = 4_096; at < 4_096 + 64; at++) bytes[at]! ^= 0xff
  writeFileSync(file, bytes)
}

describe('keyward backup and restore on sqlite', () => {
  let folder: string
  let app: TestApp
  const at = (name: string) => join(folder, name)
  const urlOf = (name: string) => `sqlite:///${at(name)}`
  const names = () => readdirSync(folder).sort()
  /** Every file with its content, without the locks in the shared memory of SQLite. */
  const contents = () => names().map((name) => [name, name.endsWith('-shm') || Bun.hash(readFileSync(at(name)))])
  const backUp = () => run(`backup ${at('copy.db')}`, urlOf('keyward.db'))

  /** Runs a command that must fail and leave every file in the folder as it was. */
  async function refused(line: string, url: string, why: RegExp): Promise<void> {
    const before = contents()
    const { code, out, err } = await run(line, url)
    expect({ line, code, out }).toEqual({ line, code: 1, out: '' })
    expect(err).toMatch(why)
    expect(contents()).toEqual(before)
  }

  beforeEach(async () => {
    folder = scratchFolder('backup')
    app = await createTestApp({ databaseUrl: await migrated(urlOf('keyward.db')) })
    await app.signUp('ada', password)
  })
  afterEach(() => app.close())

  test('14.6 backup beside a running server has the rows of its log, for the owner only, and restore brings them back', async () => {
    const { code, out, err } = await backUp()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toStartWith(`Backed up ${at('keyward.db')} to ${at('copy.db')} (`)
    expect(statSync(at('copy.db')).mode & 0o777).toBe(0o600)
    expect(names()).toEqual(['copy.db', 'keyward.db', 'keyward.db-shm', 'keyward.db-wal'])
    await app.signUp('bea', password)

    const restored = await run(`restore ${at('copy.db')}`, urlOf('new.db'))
    expect([restored.code, restored.err]).toEqual([0, ''])
    expect(restored.out).toStartWith(`Checked ${at('copy.db')} (`)
    expect(restored.out).toContain('keyward sessions end --all')
    expect(restored.out).not.toContain('migrate up')
    expect(statSync(at('new.db')).mode & 0o777).toBe(0o600)
    expect(names().filter((name) => name.startsWith('new'))).toEqual(['new.db'])
    const other = await createTestApp({ databaseUrl: urlOf('new.db') })
    const users = await other.rows.users.all()
    expect(users.map(({ username }) => username)).toEqual(['ada'])
    await other.close()
  })

  test('14.3 T10: after a restore, sessions and refresh tokens that were over are valid again until sessions end --all', async () => {
    const refresh = (to: TestApp, refresh_token: string) =>
      to.request('POST', '/token/refresh', { json: { refresh_token } })
    const { grant } = await app.signUp('bea', password)
    await backUp()
    await refresh(app, grant.refresh_token!)
    await app.request('POST', '/logout', { token: grant.access_token })
    expect((await refresh(app, grant.refresh_token!)).status).toBe(401)

    await run(`restore ${at('copy.db')}`, urlOf('new.db'))
    const clock = app.clock
    const other = await createTestApp({ databaseUrl: urlOf('new.db'), clock })
    const { status } = await other.request('GET', '/users/me', { token: grant.access_token })
    expect(status).toBe(200)
    const ended = await keyward(['sessions', 'end', '--all', '--yes', '--json'], {
      databaseUrl: urlOf('new.db'),
      clock,
    })
    expect(ended.out).toBe('{"sessions_ended":2}\n')
    const me = await other.request('GET', '/users/me', { token: grant.access_token })
    expect([me.status, (await refresh(other, grant.refresh_token!)).status]).toEqual([401, 401])
    await other.close()
  })

  test('M2, T10: a code of an app that was used after the backup is used up after the restore', async () => {
    const { grant } = await app.signUp('bea', password)
    await enrol(app, grant.access_token)
    const step = Math.floor(app.clock.now() / 30_000)
    await app.rows.totpFactors.change({}, { lastStep: step - 10 })
    await backUp()
    await run(`restore ${at('copy.db')}`, urlOf('new.db'))
    const other = await createTestApp({ databaseUrl: urlOf('new.db'), clock: app.clock })
    expect((await other.rows.totpFactors.one()).lastStep).toBe(step + 1)
    await app.clock.advance(MINUTE)
    await keyward(['sessions', 'end', '--all', '--yes'], { databaseUrl: urlOf('new.db'), clock: app.clock })
    expect((await other.rows.totpFactors.one()).lastStep).toBe(step + 3)
    await other.close()
  })

  test('P1, T10: 14.6 a backup contains no token, key or password in the clear', async () => {
    const { grant, id, email } = await app.signUp('bea', 'a password that is looked for')
    await app.admin.giveRole(id, 'admin')
    const { text: key } = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    expect((await app.request('POST', '/introspect', { token: key, form: { token: 'x' } })).status).toBe(200)
    const bearer = await app.signUp('cyd', password)
    const { secret, recovery_codes: codes } = await enrol(app, bearer.grant.access_token)
    await backUp()
    const bytes = readFileSync(at('copy.db'))
    expect(bytes.includes(email)).toBe(true)
    const secrets = [key, ...Object.values(grant).filter((value) => String(value).length > 20)]
    expect(secrets).toHaveLength(4)
    secrets.push(secret, ...codes!)
    for (const secret of ['a password that is looked for', ...secrets.map(String)])
      for (const part of [secret, secret.slice(-24), Buffer.from(secret.slice(-24), 'base64url')])
        expect([secret, bytes.includes(part)]).toEqual([secret, false])
  })

  test('14.6 backup overwrites no file, and leaves nothing behind', async () => {
    writeFileSync(at('copy.db'), 'precious')
    await refused(`backup ${at('copy.db')}`, urlOf('keyward.db'), /copy\.db exists already, and is not overwritten$/m)
    await refused(`backup ${at('keyward.db')}`, urlOf('keyward.db'), /keyward\.db exists already/)
    await refused(`backup ${at('none/copy.db')}`, urlOf('keyward.db'), /Cannot open .*none\/copy\.db.*\(ENOENT\)/)
    await refused(`backup ${at('more.db')}`, urlOf('missing.db'), /^There is no database at .*missing\.db/)
    await refused(`backup ${at('more.db')}`, 'sqlite::memory:', /^DATABASE_URL is a database in memory/)
  })

  test('14.6 two backups at once to one file write one whole file', async () => {
    const results = await Promise.all([backUp(), backUp(), backUp()])
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1, 1])
    expect((await run(`restore ${at('copy.db')}`, urlOf('new.db'))).code).toBe(0)
    expect(names().filter((name) => name.includes('partial'))).toEqual([])
  })

  test('14.6 backup refuses a database whose rows refer to missing rows', async () => {
    const db = new Database(at('keyward.db'))
    db.run('PRAGMA foreign_keys = OFF')
    db.run('DELETE FROM users')
    db.close()
    await refused(`backup ${at('copy.db')}`, urlOf('keyward.db'), /keyward\.db is damaged \(\d+ rows refer to a row/)
  })

  test('14.6 restore refuses an existing database, also while a server uses it', async () => {
    await backUp()
    await refused(
      `restore ${at('copy.db')}`,
      urlOf('keyward.db'),
      /keyward\.db-shm exist; a restore replaces no database/,
    )
    expect((await app.request('GET', '/readyz')).status).toBe(200)
    await app.signUp('bea', password)
    await app.close()
    await refused(`restore ${at('copy.db')}`, urlOf('keyward.db'), /keyward\.db exists; .*Stop all processes/)
  })

  test.each(['-wal', '-shm', '-journal'])('14.6 restore refuses a %s that is left of another database', async (end) => {
    await backUp()
    writeFileSync(at(`new.db${end}`), '')
    await refused(`restore ${at('copy.db')}`, urlOf('new.db'), new RegExp(`new\\.db${end} exists; a restore`))
  })

  test('14.6 restore refuses a file that is not a whole backup of Keyward, and makes no database', async () => {
    await backUp()
    copyFileSync(at('copy.db'), at('short.db'))
    truncateSync(at('short.db'), statSync(at('copy.db')).size - 4_096)
    copyFileSync(at('copy.db'), at('flipped.db'))
    damage(at('flipped.db'))
    writeFileSync(at('text.db'), 'these are not the pages of a database, but they are long enough to be one')
    writeFileSync(at('empty.db'), '')
    const foreign = new Database(at('foreign.db'))
    foreign.run('CREATE TABLE things (id)')
    foreign.close()
    copyFileSync(at('copy.db'), at('newer.db'))
    const newer = new Database(at('newer.db'))
    newer.run("INSERT INTO keyward_migrations VALUES ('9999_later', 'x', 1)")
    newer.close()
    const why = {
      short: /short\.db is damaged/,
      flipped: /flipped\.db is damaged/,
      text: /text\.db is damaged \(SQLITE_NOTADB\)/,
      empty: /empty\.db is not a database of Keyward/,
      foreign: /foreign\.db is not a database of Keyward/,
      newer: /migrated by a newer Keyward/,
      none: /^There is no file .*none\.db/,
    }
    for (const [name, reason] of Object.entries(why))
      await refused(`restore ${at(`${name}.db`)}`, urlOf('new.db'), reason)
    // A copy of the file alone, beside the log of a running server.
    await refused(`restore ${at('keyward.db')}`, urlOf('new.db'), /keyward\.db-wal exists, so .* is a database in use/)
  })

  test('14.6 restore takes a backup of an older version, and says how to upgrade it', async () => {
    await backUp()
    const older = new Database(at('copy.db'))
    older.run('DELETE FROM keyward_migrations WHERE name = (SELECT max(name) FROM keyward_migrations)')
    older.close()
    expect((await run(`restore ${at('copy.db')}`, urlOf('new.db'))).out).toContain('keyward migrate up')
    renameSync(at('new.db'), at('away.db'))
    const { out } = await run(`restore ${at('copy.db')} --json`, urlOf('new.db'))
    expect(JSON.parse(out)).toMatchObject({ file: at('new.db'), pending_migrations: 1 })
  })

  test('14.6 --json prints what was written', async () => {
    const { out } = await run(`backup ${at('copy.db')} --json`, urlOf('keyward.db'))
    const { size } = statSync(at('copy.db'))
    expect(JSON.parse(out)).toEqual({ file: at('copy.db'), bytes: size, migration: expect.stringMatching(/^\d{4}_/) })
    expect(existsSync(at('copy.db-wal'))).toBe(false)
  })
})

describe('keyward backup and restore on postgresql', () => {
  const url = 'postgresql+psycopg://ada:hunter2%40@db.example:5433/users?ssl=true&prepare=false&connect_timeout=5'
  const address = '--dbname=postgresql://ada@db.example:5433/users?sslmode=require'

  test('14.6 print the line of pg_dump and pg_restore without the password, and exit with 3', async () => {
    const lines = {
      'backup keyward.dump': `pg_dump --format=custom --file=keyward.dump '${address}'`,
      "restore it's": `pg_restore --clean --if-exists --exit-on-error --single-transaction '${address}' 'it'\\''s'`,
    }
    for (const [line, expected] of Object.entries(lines)) {
      const { code, out, err } = await run(line, url)
      // The option is one word of the shell, quoted behind its name.
      const plain = expected.replace(`'${address}'`, `--dbname='${address.slice('--dbname='.length)}'`)
      expect({ code, out }).toEqual({ code: 3, out: `${plain}\n` })
      expect(err).toContain('PGPASSWORD')
      expect(err).toContain(line.startsWith('backup') ? 'umask 077' : 'keyward sessions end --all')
      const { out: json } = await run(`${line} --json`, url)
      expect(JSON.parse(json)).toEqual({ run: plain })
      expect(out + err + json).not.toContain('hunter2')
    }
  })

  test.each([
    ['postgresql:///users?host=/run/postgresql', 'postgresql:///users?host=%2Frun%2Fpostgresql'],
    ['postgresql:///users', 'postgresql://localhost/users'],
    [
      'postgresql://ada:x@[::1]/users?sslrootcert=/etc/a%20b.pem&sslpassword=hunter2',
      'postgresql://ada@[::1]/users?sslrootcert=%2Fetc%2Fa%20b.pem',
    ],
    ['postgres://ada@db/users?password=hunter2&dbname=other', 'postgresql://ada@db/users?dbname=other'],
  ])('14.6 of %s name %s', async (databaseUrl, shown) => {
    const { out } = await run('backup x', databaseUrl)
    expect(out.replaceAll("'", '')).toContain(`--dbname=${shown}\n`)
  })
})
