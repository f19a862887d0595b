import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DAY, MINUTE, systemClock } from '../../src/lib/clock.ts'
import { turns } from '../sessions/support.ts'
import { openUrl } from '../storage/support.ts'
import { createTestApp, type TestApp, testSecret } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { manualClock } from '../support/clock.ts'
import { describeEachDialect, migratedDatabase, sqliteFile } from '../support/dialects.ts'
import { examine } from '../support/doctor.ts'
import { scratchFolder } from '../support/scratch.ts'

const otherSecret = 'another-secret-for-tests-58d1c3f09a7b2e64'

describeEachDialect('keyward doctor', (dialect) => {
  let app: TestApp
  beforeEach(async () => {
    app = await createTestApp({ dialect, clock: manualClock(Date.now()) })
    await app.signUp('ada')
  })
  afterEach(() => app.close())

  const databaseChecks = ['database', 'integrity', 'migrations', 'writable', 'clock']
  const keyChecks = ['data_keys', 'signing_keys', 'secret_key']

  test('14.4 finds a database, its schema and its keys sound beside a running server, and changes nothing', async () => {
    const rows = async () => ({
      probes: await app.rows.writeProbes.all(),
      audit: await app.rows.auditEvents.count(),
      dataKeys: await app.rows.dataKeys.all(),
      signingKeys: await app.rows.signingKeys.all(),
      processes: await app.rows.processes.all(),
    })
    const before = await rows()
    const found = await examine(app.databaseUrl)
    for (const check of ['configuration', ...databaseChecks, ...keyChecks])
      expect([check, found.of(check).map(({ verdict }) => verdict)]).toEqual([check, ['ok']])
    expect(await rows()).toEqual(before)
  })

  test('14.4 prints the verdict, the check and the fix for a person', async () => {
    const { code, out } = await keyward(['doctor'], {
      databaseUrl: app.databaseUrl,
      clock: systemClock,
      env: { SECRET_KEY: otherSecret },
    })
    expect(code).toBe(1)
    expect(out).toMatch(/^ok {7}migrations {6}All \d+ migrations are applied\.$/m)
    expect(out).toMatch(
      /^problem {2}data_keys {7}SECRET_KEY does not open the data keys of: .*\n {25}Fix: Set the SECRET_KEY/m,
    )
  })

  test('14.4 a setting that cannot be used is a problem with the name of the setting, and the rest is skipped', async () => {
    const found = await examine(app.databaseUrl, { BCRYPT_COST: '99', SECRET_KEY: '' })
    expect(found.of('configuration').map(({ verdict, subject }) => [verdict, subject])).toEqual([
      ['problem', 'SECRET_KEY'],
      ['problem', 'BCRYPT_COST'],
    ])
    expect(found.out).not.toMatch(/SECRET_KEY=/)
    expect(found.verdictOf('database')).toBe('skipped')
    const misspelt = await examine(app.databaseUrl, { BCRYPT_COSTS: '12' })
    expect(misspelt.of('configuration')).toMatchObject([{ verdict: 'warning', subject: 'BCRYPT_COSTS' }])
  })

  test('14.4 another SECRET_KEY is a problem of the data keys and of the signing keys', async () => {
    const found = await examine(app.databaseUrl, { SECRET_KEY: otherSecret })
    expect(keyChecks.slice(0, 2).map(found.verdictOf)).toEqual(['problem', 'problem'])
    expect(found.out).not.toContain(otherSecret)
    const both = await examine(app.databaseUrl, { SECRET_KEY: otherSecret, SECRET_KEY_PREVIOUS: testSecret })
    expect(keyChecks.map(both.verdictOf)).toEqual(['ok', 'ok', 'warning'])
  })

  test('14.4 one damaged seal is found and named, and a missing key is a warning that a check does not mend', async () => {
    const [key] = await app.rows.signingKeys.all({ state: 'next' })
    await app.rows.signingKeys.change(
      { kid: key!.kid },
      { sealedPrivateKey: `${key!.sealedPrivateKey.slice(0, -4)}AAAA` },
    )
    await app.rows.dataKeys.remove({ purpose: 'api_key' })
    const found = await examine(app.databaseUrl)
    expect(found.of('signing_keys')).toMatchObject([{ verdict: 'problem', message: expect.stringContaining(key!.kid) }])
    expect(found.of('data_keys')).toMatchObject([{ verdict: 'warning', message: 'Data keys are missing: api_key.' }])
    expect(await app.rows.dataKeys.count({ purpose: 'api_key' })).toBe(0)
  })

  test('14.4 a signing key of another algorithm, none, and a revoked JWT_SECRET', async () => {
    const hs256 = { JWT_ALG: 'HS256', JWT_SECRET: 'a-shared-secret-for-tests-0123456789abcdef' }
    expect((await examine(app.databaseUrl, hs256)).of('signing_keys')).toMatchObject([
      { verdict: 'warning', message: 'The active key signs with ES256, and JWT_ALG is HS256.' },
    ])
    const second = await createTestApp({ databaseUrl: app.databaseUrl, env: hs256, clock: app.clock })
    const { kid } = await app.rows.signingKeys.one({ alg: 'HS256' })
    await second.close()
    await app.rows.signingKeys.change({ kid }, { state: 'revoked', activeSlot: null })
    expect((await examine(app.databaseUrl, hs256)).of('signing_keys')).toMatchObject([
      { verdict: 'problem', message: expect.stringContaining('was revoked') },
    ])
    await app.rows.signingKeys.remove()
    expect((await examine(app.databaseUrl)).verdictOf('signing_keys')).toBe('warning')
  })

  test('14.4 says whether SECRET_KEY_PREVIOUS is still needed, and counts the seals that were not moved', async () => {
    const change = { SECRET_KEY: otherSecret, SECRET_KEY_PREVIOUS: testSecret }
    const waiting = await examine(app.databaseUrl, change, { clock: app.clock })
    const total = (await app.rows.dataKeys.count()) + (await app.rows.signingKeys.count())
    expect(waiting.of('secret_key')).toMatchObject([
      {
        subject: 'SECRET_KEY_PREVIOUS',
        verdict: 'warning',
        message: expect.stringContaining(`not yet encrypted with SECRET_KEY: ${total} of ${total};`),
        fix: expect.stringContaining('Wait'),
      },
    ])
    await app.rows.processes.remove()
    const done = await examine(app.databaseUrl, { SECRET_KEY_PREVIOUS: otherSecret })
    expect(done.of('secret_key')).toMatchObject([
      {
        message: expect.stringContaining(`not yet encrypted with SECRET_KEY: 0 of ${total};`),
        fix: expect.stringContaining('remove SECRET_KEY_PREVIOUS'),
      },
    ])
  })

  test('14.4 counts what a former data key still accepts, and says when the last of it ends', async () => {
    const shared = { databaseUrl: app.databaseUrl, clock: app.clock }
    // As a version without data keys left it, whose keys came from SECRET_KEY.
    await app.rows.dataKeys.remove()
    const before = await createTestApp(shared)
    const ada = await before.rows.users.one({ username: 'ada' })
    const grace = await before.signUp('grace')
    await before.admin.giveRole(grace.id, 'admin')
    const expiresAt = app.clock.now() + 90 * DAY
    const [bounded, endless] = [expiresAt, null].map((at) => ({
      owner: grace.id,
      scopes: ['tokens:introspect'],
      expiresAt: at,
    }))
    await before.admin.createApiKey(bounded!)
    const { text: key } = await before.admin.createApiKey(endless!)
    await before.close()
    const made = app.clock.now()
    await app.rows.dataKeys.remove()
    await app.clock.advance(1_000)
    const env = { SECRET_KEY: otherSecret, SECRET_KEY_PREVIOUS: testSecret }
    const after = await createTestApp({ ...shared, env })
    await app.clock.advance(1_000)
    const accepted = async (settings: Record<string, string> = env) => {
      const { message } = (await examine(app.databaseUrl, settings, { clock: app.clock })).of('secret_key')[0]!
      return /still accepts: (.*)\.$/.exec(message)?.[1]
    }
    const until = (at: number) => `until ${new Date(at).toISOString().replace('T', ' ').slice(0, 19)}Z`
    const sessionsUntil = until(made + 30 * DAY)
    expect(await accepted()).toBe(
      `sessions: 2, the last ${sessionsUntil}; users with a device token (at most): 2, the last ${until(made + 180 * DAY)}; API keys: 2, without an end`,
    )
    const { code, out } = await keyward(['secrets', 'status', '--json'], { ...shared, env })
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { former_sessions: { count: 2, until: new Date(made + 30 * DAY).toISOString() }, former_api_keys: { count: 2 } },
    ])

    // What is used is accepted, and moves to the current key.
    const refreshed = await after.request('POST', '/token/refresh', {
      json: { refresh_token: grace.grant.refresh_token },
    })
    expect(refreshed.status).toBe(200)
    const form = { username: 'grace', password: grace.password, device_token: grace.grant.device_token! }
    expect((await after.request('POST', '/token', { form })).status).toBe(200)
    expect((await after.request('POST', '/introspect', { token: key, form: { token: 'x' } })).status).toBe(200)
    while ((await app.rows.apiKeys.count({ lastUsedAt: null })) === 2) await turns(1)
    expect(await accepted()).toBe(
      `sessions: 1, the last ${sessionsUntil}; users with a device token (at most): 1, the last ${until(made + 180 * DAY)}; API keys: 1, the last ${until(expiresAt)}`,
    )
    // The device tokens of 0.2.0 have no row. They cannot be counted, only bounded.
    await app.rows.users.change({ id: grace.id }, { deviceEpoch: 4711 })
    await app.rows.devices.remove({ userId: ada.id })
    await app.rows.apiKeys.change({}, { revokedAt: made })
    await app.rows.users.change({ id: ada.id }, { isActive: false })
    const oldTokens = `users with a device token (at most): 1, the last ${until(made + 1_000 + 180 * DAY)}`
    expect(await accepted()).toBe(oldTokens)
    await after.process.maintainSecrets()
    await app.rows.processes.remove()
    expect(await accepted({ SECRET_KEY: otherSecret })).toBe(oldTokens)
    await app.clock.advance(180 * DAY)
    expect(await accepted({ SECRET_KEY: otherSecret })).toBeUndefined()
    await after.close()
  })

  test('14.4 a stored time in the future is a problem of the clock', async () => {
    const late = manualClock(Date.now() - DAY)
    const found = await examine(app.databaseUrl, {}, { clock: late })
    expect(found.verdictOf('clock')).toBe('problem')
    if (dialect.name === 'sqlite') expect(found.of('clock')[0]!.message).toContain('newest audit event')
    else expect(found.of('clock')[0]!.message).toMatch(/PostgreSQL are 86[34]\d\d seconds apart/)
    if (dialect.name === 'sqlite') return
    const soon = await examine(app.databaseUrl, {}, { clock: { ...systemClock, now: () => Date.now() + MINUTE / 2 } })
    expect(soon.verdictOf('clock')).toBe('warning')
  })

  test('14.4 pending migrations are a problem, and the check applies none', async () => {
    const { url, dispose } = await dialect.databaseUrl()
    await keyward(['migrate', 'status'], { databaseUrl: url })
    if (dialect.name === 'sqlite') writeFileSync(sqliteFile(url), '')
    for (let time = 0; time < 2; time++) {
      const found = await examine(url)
      expect(found.of('migrations')).toMatchObject([
        {
          verdict: 'problem',
          message: 'The database has no tables of Keyward yet.',
          fix: 'Run keyward migrate up, or start the server.',
        },
      ])
      expect([...databaseChecks, ...keyChecks].map((check) => found.verdictOf(check))).toEqual([
        'ok',
        'ok',
        'problem',
        'ok',
        'ok',
        ...keyChecks.map(() => 'skipped'),
      ])
    }
    await dispose()
  })

  test('14.4 a database of a newer version, and one of another program, are problems of the migrations', async () => {
    const storage = await openUrl(app.databaseUrl)
    await storage.rows("INSERT INTO keyward_migrations (name, sha256, applied_at) VALUES ('9999_tomorrow', '', 0)")
    await storage.close()
    const newer = await examine(app.databaseUrl)
    expect(newer.of('migrations')).toMatchObject([
      {
        verdict: 'problem',
        message: 'The database was migrated by a newer Keyward (it has "9999_tomorrow").',
        fix: expect.stringContaining('Start that version or a newer one'),
      },
    ])
    expect(keyChecks.map(newer.verdictOf)).toEqual(['skipped', 'skipped', 'skipped'])
    const { url, dispose } = await dialect.databaseUrl()
    const foreign = await openUrl(url)
    await foreign.rows('CREATE TABLE users (hashed_password text)')
    await foreign.close()
    const found = await examine(url)
    expect(found.of('migrations')).toMatchObject([
      { verdict: 'problem', message: 'This database belongs to a FastAPI user service.' },
    ])
    await dispose()
  })

  test('14.4 with --dev, a database without its SECRET_KEY is a problem, and no SECRET_KEY is made', async () => {
    const found = await examine(app.databaseUrl, { SECRET_KEY: '' }, { argv: ['--dev'] })
    expect(keyChecks.map(found.verdictOf)).toEqual(['problem', 'skipped', 'skipped'])
    if (dialect.name === 'sqlite') expect(existsSync(`${sqliteFile(app.databaseUrl)}.secret`)).toBe(false)
  })

  test('14.4 without a database that can be opened, the other checks are made', async () => {
    const url =
      dialect.name === 'sqlite'
        ? `sqlite:///${join(scratchFolder('none'), 'not-there', 'users.db')}`
        : 'postgresql://keyward:pass-in-url@127.0.0.1:1/users'
    const found = await examine(url)
    expect(found.of('database')).toMatchObject([{ verdict: 'problem' }])
    expect([...databaseChecks.slice(1), ...keyChecks].map(found.verdictOf)).toEqual(Array(7).fill('skipped'))
    expect(found.verdictOf('configuration')).toBe('ok')
    expect(found.out).not.toContain('pass-in-url')
  })

  if (dialect.name === 'sqlite') {
    test('14.4 changes no byte of the file of a stopped server, and leaves no other file', async () => {
      const { url } = await migratedDatabase(dialect)
      const file = sqliteFile(url)
      const state = () => [readFileSync(file).toString('base64'), statSync(file).mtimeMs, readdirSync(dirname(file))]
      const before = state()
      expect((await examine(url)).verdictOf('writable')).toBe('ok')
      expect(state()).toEqual(before)
    })

    test('14.4 a missing file is a warning and is not made; a damaged file and one of another kind are problems', async () => {
      const { url, dispose } = await dialect.databaseUrl()
      expect((await examine(url)).of('database')).toMatchObject([{ verdict: 'warning' }])
      expect(existsSync(sqliteFile(url))).toBe(false)
      writeFileSync(
        sqliteFile(url),
        'no database, but a text that is long enough to be read as a header of a file '.repeat(9),
      )
      const other = await examine(url)
      expect(other.of('database')).toMatchObject([
        {
          verdict: 'problem',
          message: expect.stringContaining('is not an SQLite database'),
          fix: 'Name another file.',
        },
      ])
      await dispose()
      const { url: damaged } = await migratedDatabase(dialect)
      const bytes = readFileSync(sqliteFile(damaged))
      bytes.fill(0xff, 4096 * 4, 4096 * 12)
      writeFileSync(sqliteFile(damaged), bytes)
      expect((await examine(damaged)).verdictOf('integrity')).toBe('problem')
      expect(readFileSync(sqliteFile(damaged)).equals(bytes)).toBe(true)
    })

    test('14.4 a fault that SQLite reports without an error is a problem of the file', async () => {
      const { url } = await migratedDatabase(dialect)
      const file = Buffer.concat([readFileSync(sqliteFile(url)), Buffer.alloc(4096)])
      // The header counts one more page, which belongs to nothing.
      file.writeUInt32BE(file.length / 4096, 28)
      writeFileSync(sqliteFile(url), file)
      const found = await examine(url)
      expect(found.of('integrity')).toMatchObject([
        { verdict: 'problem', message: expect.stringContaining('never used'), fix: expect.stringContaining('backup') },
      ])
      expect(found.verdictOf('data_keys')).toBe('warning')
    })

    test('14.4 a file that another process has locked, and one that cannot be written, are problems of writing', async () => {
      const { Database } = await import('bun:sqlite')
      const lock = new Database(sqliteFile(app.databaseUrl))
      lock.run('BEGIN IMMEDIATE')
      const found = await examine(app.databaseUrl)
      lock.run('ROLLBACK')
      lock.close()
      expect(found.of('writable')).toMatchObject([{ verdict: 'problem', fix: 'Try again.' }])
    })
  } else {
    test('14.4 a user without the right to write, and a read-only database, are problems of writing', async () => {
      const sql = new Bun.SQL(app.databaseUrl)
      await sql.unsafe('REVOKE INSERT ON write_probes FROM CURRENT_USER')
      const refused = await examine(app.databaseUrl)
      expect(refused.verdictOf('writable')).toBe('problem')
      await sql.unsafe('GRANT INSERT ON write_probes TO CURRENT_USER')
      const name = new URL(app.databaseUrl).pathname.slice(1)
      await sql.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      await sql.close()
      const found = await examine(app.databaseUrl)
      expect(found.of('writable')).toMatchObject([
        {
          verdict: 'problem',
          message: expect.stringContaining('takes no writes'),
          fix: expect.stringContaining('primary'),
        },
      ])
      expect(found.verdictOf('data_keys')).toBe('ok')
    })

    test('14.4 an encoding that lacks characters is a problem of the database', async () => {
      const admin = new Bun.SQL(app.databaseUrl.replace('//keyward:', '//postgres:'), { max: 1 })
      await admin.unsafe(
        "CREATE DATABASE doctor_latin OWNER keyward ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
      )
      const found = await examine(app.databaseUrl.replace(/\/[^/]*$/, '/doctor_latin'))
      await admin.unsafe('DROP DATABASE doctor_latin WITH (FORCE)')
      await admin.close()
      expect(found.of('database')).toMatchObject([{ verdict: 'problem', message: expect.stringContaining('LATIN1') }])
    })
  }
})
