import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyward } from '../support/cli.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { hasPrograms } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'
import { openWithThing, refusalOf } from './support.ts'

setDefaultTimeout(60_000)

describe.if(hasPrograms('openssl'))('PostgreSQL with TLS', () => {
  let server: PostgresServer
  let url: string

  beforeAll(async () => {
    server = await startPostgres()
    url = (await server.createDatabase()).url
  })
  afterAll(() => server.signal('SIGKILL'))

  async function asOwner(...statements: string[]): Promise<unknown[][]> {
    const sql = new Bun.SQL(url.replace('//keyward:', '//postgres:'), { max: 1 })
    let rows: unknown[][] = []
    for (const statement of statements) rows = await sql.unsafe(statement).values()
    await sql.close()
    return rows
  }

  /**
   * Gives the server a self-signed certificate of this name, which is made at first use.
   * @returns the path of a copy, which serves as CA
   */
  async function useCertificate(name: string, subject = 'IP:127.0.0.1'): Promise<string> {
    const openssl = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=${name} -addext subjectAltName=${subject}`
    // The server's own user makes the files: PostgreSQL refuses a key that others can read.
    const [[certificate]] = (await asOwner(
      `COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; umask 077; [ -e ${name}.key ] || ${openssl} -keyout ${name}.key -out ${name}.crt 2>/dev/null'`,
      `ALTER SYSTEM SET ssl_cert_file = '${name}.crt'`,
      `ALTER SYSTEM SET ssl_key_file = '${name}.key'`,
      'ALTER SYSTEM SET ssl = on',
      'SELECT pg_reload_conf()',
      `SELECT pg_read_file('${name}.crt')`,
    )) as [[string]]
    const path = join(scratchFolder('ca'), 'ca.crt')
    writeFileSync(path, certificate)
    return path
  }

  const hangUp = () =>
    asOwner("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'keyward'")
  /** The ways to use a database, each with the code of its refusal or `resolved`. */
  const attemptsOn = (storage: Awaited<ReturnType<typeof openWithThing>>) => ({
    read: () => refusalOf(Promise.resolve(storage.driver.tryRead('SELECT id FROM thing', []))),
    write: () => refusalOf(storage.rows('DELETE FROM thing')),
    inTransaction: () => refusalOf(storage.store.transaction(() => storage.rows('DELETE FROM thing'))),
  })

  test('12.C4 a certificate that no longer verifies while running is 503 until it does', async () => {
    const storage = await openWithThing(`${url}?sslmode=verify-full&sslrootcert=${await useCertificate('first')}`)
    const { read, write, inTransaction } = attemptsOn(storage)
    try {
      expect(await storage.rows('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([[true]])
      await useCertificate('second')
      await hangUp()
      for (const attempt of [read, write, inTransaction, read]) expect(await attempt()).toBe('database_unavailable')
      await useCertificate('first')
      for (const attempt of [read, write, inTransaction]) expect(await attempt()).toBe('resolved')
    } finally {
      await storage.close()
    }
  })

  test('the file of the CA that is gone while running is 503 until it is back', async () => {
    const ca = await useCertificate('first')
    const storage = await openWithThing(`${url}?sslmode=verify-full&sslrootcert=${ca}`)
    const { read, write, inTransaction } = attemptsOn(storage)
    try {
      for (const attempt of [read, write, inTransaction]) expect(await attempt()).toBe('resolved')
      renameSync(ca, `${ca}.gone`)
      for (const attempt of [read, write, inTransaction, read]) {
        // Each time: a connection that was being opened at the first time may be there by now.
        await hangUp()
        expect(await attempt()).toBe('database_unavailable')
      }
      renameSync(`${ca}.gone`, ca)
      for (const attempt of [read, write, inTransaction]) expect(await attempt()).toBe('resolved')
    } finally {
      await storage.close()
    }
  })

  test.each([
    [
      'an unknown CA',
      async () => void (await useCertificate('first')),
      'verify-full',
      /does not verify.*sslrootcert \([A-Z_]+\)/,
    ],
    [
      'another host name',
      () => useCertificate('other', 'DNS:other.example'),
      'verify-full',
      /for another host \([A-Z_]+\)/,
    ],
    [
      'a missing file of the CA',
      async () => '/no/such/ca.crt',
      'verify-full',
      /^Cannot access \/no\/such\/ca\.crt: there is no such file/,
    ],
    [
      'no TLS',
      async () => void (await asOwner('ALTER SYSTEM SET ssl = off', 'SELECT pg_reload_conf()')),
      'require',
      /does not agree on TLS/,
    ],
  ])('12.C4 the start names the reason: %s', async (_, arrange, mode, reason) => {
    const ca = await arrange()
    const query = `?sslmode=${mode}${ca === undefined ? '' : `&sslrootcert=${ca}`}`
    const { code, err } = await keyward(['migrate', 'up'], { databaseUrl: `${url}${query}` })
    expect([code, err]).toEqual([1, expect.stringMatching(reason)])
  })
})
