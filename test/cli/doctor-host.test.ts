import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyward } from '../support/cli.ts'
import { dialects, migratedDatabase, sqliteFile } from '../support/dialects.ts'
import { examine, type Found } from '../support/doctor.ts'
import { scratchFolder } from '../support/scratch.ts'
import { smallDisk } from '../support/small-disk.ts'
import { certificate, reply, startSmtp } from '../support/smtp.ts'

setDefaultTimeout(30_000)

let databaseUrl: string
beforeAll(async () => {
  databaseUrl = (await migratedDatabase(dialects[0]!)).url
})

/** A configuration without a weakness. */
const strong = { PUBLIC_URL: 'https://auth.example.com', TRUSTED_PROXIES: '10.0.0.1', RATE_LIMIT: 'on' }

describe('keyward doctor: weak settings', () => {
  const mail = { SMTP_URL: 'smtp://127.0.0.1:1?tls=none', MAIL_FROM: 'a@example.com' }

  test('14.4 finds nothing in a strong configuration', async () => {
    const found = await examine(databaseUrl, { ...strong, ...mail })
    expect(found.of('settings').map(({ verdict }) => verdict)).toEqual(['ok'])
  })

  test.each([
    ['http to other machines', 'PUBLIC_URL', { PUBLIC_URL: 'http://auth.example.com' }],
    ['an address of this machine alone', 'PUBLIC_URL', { PUBLIC_URL: 'http://localhost:8000' }],
    ['no rate limits', 'RATE_LIMIT', { RATE_LIMIT: 'off' }],
    ['one limit that is off', 'LIMITS', { LIMITS: 'login.account=off' }],
    ['cheap hashes', 'BCRYPT_COST', { BCRYPT_COST: '10' }],
    [
      'HS256 with a key of 128 bits',
      'JWT_SECRET',
      { JWT_ALG: 'HS256', JWT_SECRET: '0f1e2d3c4b5a69788796a5b4c3d2e1f0' },
    ],
    ['half of all IPv4 addresses as proxies', 'TRUSTED_PROXIES', { TRUSTED_PROXIES: '10.0.0.1,128.0.0.0/1' }],
    ['a large IPv6 network as proxies', 'TRUSTED_PROXIES', { TRUSTED_PROXIES: '2000::/3' }],
    ['no mail', 'SMTP_URL', { SMTP_URL: '' }],
    ['login by mail without mail', 'SMTP_URL', { SMTP_URL: '', EMAIL_LOGIN: 'on' }],
    ['mail without TLS', 'SMTP_URL', { SMTP_URL: 'smtp://mail.invalid:1?tls=none' }],
    ['a log without warnings', 'LOG_LEVEL', { LOG_LEVEL: 'silent' }],
    ['a log of every request', 'LOG_LEVEL', { LOG_LEVEL: 'debug' }],
  ])('14.4 warns of %s', async (_, subject, weak) => {
    const found = await examine(databaseUrl, { ...strong, ...mail, ...(weak as Record<string, string>) })
    expect(found.of('settings').map((one) => [one.verdict, one.subject])).toEqual([['warning', subject]])
    for (const [name, value] of Object.entries(weak)) if (name === 'JWT_SECRET') expect(found.out).not.toContain(value)
  })

  test('14.4 /0 as a proxy is no setting that can be used', async () => {
    const found = await examine(databaseUrl, { ...strong, TRUSTED_PROXIES: '0.0.0.0/0' })
    expect(found.of('configuration')).toMatchObject([{ verdict: 'problem', subject: 'TRUSTED_PROXIES' }])
  })
})

describe('keyward doctor: the address of the client', () => {
  const address = async (argv: string[], trusted: string) => {
    const found = await examine(databaseUrl, { ...strong, TRUSTED_PROXIES: trusted }, { argv })
    const [{ verdict, message }] = found.of('client_address') as [Found]
    return [verdict, message]
  }

  test('14.4 --peer and --forwarded say which address counts', async () => {
    const chain = ['--peer', '10.0.0.1', '--forwarded', '6.6.6.6, 203.0.113.7:4711, 10.0.0.2']
    expect(await address(chain, '10.0.0.0/8')).toEqual([
      'ok',
      `A request from 10.0.0.1 with X-Forwarded-For: ${chain[3]} counts as a request of 203.0.113.7.`,
    ])
    const ignored = await address(chain, '192.0.2.1')
    expect(ignored).toEqual([
      'warning',
      expect.stringContaining('counts as a request of 10.0.0.1: the header is ignored'),
    ])
    expect(await address(['--peer', '10.0.0.1'], '10.0.0.0/8')).toEqual([
      'warning',
      expect.stringContaining('which is a trusted proxy'),
    ])
    expect(await address(['--peer', '198.51.100.4'], '10.0.0.0/8')).toEqual([
      'ok',
      'A request from 198.51.100.4 without X-Forwarded-For counts as a request of 198.51.100.4.',
    ])
  })

  test('14.4 warns of a proxy that is not trusted', async () => {
    expect(await address([], '')).toEqual(['warning', expect.stringContaining('no proxy is trusted')])
    expect(await address([], '10.0.0.1')).toEqual(['ok', expect.any(String)])
  })

  test('14.4 refuses --forwarded alone, and a peer that is no address', async () => {
    for (const [argv, message] of [
      [['--forwarded', '1.2.3.4'], '--forwarded needs --peer too'],
      [['--peer', 'example.com'], '--peer takes an IP address'],
    ] as const) {
      const { code, err } = await keyward(['doctor', ...argv], { databaseUrl })
      expect([code, err]).toEqual([2, expect.stringContaining(message)])
    }
  })
})

describe('keyward doctor: the mail server', () => {
  const mailOf = async (url: string, more: Record<string, string> = {}) => {
    const found = await examine(databaseUrl, { ...strong, SMTP_URL: url, MAIL_FROM: 'a@example.com', ...more })
    expect(found.out).not.toContain('hunter2')
    return found.of('mail').map(({ verdict, message }) => `${verdict}: ${message}`)
  }

  test('14.4 logs in with STARTTLS, and sends no mail', async () => {
    const { key, cert, file } = await certificate()
    const sink = await startSmtp({ key, cert })
    const url = `smtp://ada:hunter2@localhost:${sink.port}?ca=${file}`
    expect(await mailOf(url)).toEqual([expect.stringMatching(/^ok: .*the user and password; no mail was sent\.$/)])
    expect(await mailOf(`smtp://ada:hunter2@localhost:${sink.port}`)).toEqual([expect.stringMatching(/^problem: /)])
    expect(sink.received).toEqual([])
    await sink.close()
  })

  test('14.4 a wrong password, a server without TLS and no server are problems', async () => {
    const { key, cert, file } = await certificate()
    const wrong = await startSmtp({ key, cert, onAuth: (_auth, _session, done) => done(reply(535, 'not hunter2')) })
    expect(await mailOf(`smtp://ada:hunter2@localhost:${wrong.port}?ca=${file}`)).toEqual([
      expect.stringMatching(/^problem: .*EAUTH.*\*{8}/),
    ])
    const plain = await startSmtp()
    expect(await mailOf(`smtp://localhost:${plain.port}`)).toEqual([expect.stringMatching(/^problem: /)])
    expect(await mailOf(`smtp://localhost:${plain.port}?tls=none`)).toEqual([expect.stringMatching(/^ok: /)])
    await Promise.all([wrong.close(), plain.close()])
    expect(await mailOf(`smtp://localhost:${plain.port}?tls=none`)).toEqual([
      expect.stringMatching(/^problem: .*ECONN/),
    ])
  })

  test('14.4 a template that cannot be used is a problem', async () => {
    const folder = scratchFolder('templates')
    writeFileSync(join(folder, 'nonsense.txt'), 'text')
    const found = await examine(databaseUrl, { ...strong, TEMPLATES_DIR: folder })
    expect(found.of('mail').map(({ verdict }) => verdict)).toEqual(['ok', 'problem'])
    expect(found.of('mail')[1]!.message).toContain('nonsense.txt')
  })
})

describe('keyward doctor: files and disk', () => {
  const copied = () => {
    const file = join(scratchFolder('doctor'), 'users.db')
    copyFileSync(sqliteFile(databaseUrl), file)
    chmodSync(file, 0o600)
    return file
  }
  const filesOf = async (file: string, env: Record<string, string> = {}, argv: string[] = []) => {
    const found = await examine(`sqlite:///${file}`, { ...strong, ...env }, { argv })
    return found.of('files').map(({ verdict, subject, fix }) => [verdict, subject, fix])
  }

  test('14.4 a database that others can read is a warning, and one that others can change a problem', async () => {
    const file = copied()
    expect(await filesOf(file)).toEqual([['ok', null, null]])
    chmodSync(file, 0o640)
    expect(await filesOf(file)).toEqual([['warning', file, `Run: chmod 600 ${file}`]])
    chmodSync(file, 0o620)
    expect(await filesOf(file)).toEqual([['problem', file, `Run: chmod 600 ${file}`]])
  })

  test('14.4 so it is with .env and with a file of a secret, except where a container keeps its secrets', async () => {
    const file = copied()
    const env = join(scratchFolder('env'), 'settings.env')
    writeFileSync(env, 'METRICS_TOKEN=scrape-only-9f2m4x8q-in-env\n', { mode: 0o644 })
    const argv = ['--env-file', env]
    expect(await filesOf(file, {}, argv)).toEqual([['warning', env, `Run: chmod 600 ${env}`]])
    chmodSync(env, 0o602)
    expect(await filesOf(file, {}, argv)).toEqual([['problem', env, `Run: chmod 600 ${env}`]])
    const secret = join(scratchFolder('secret'), 'token')
    writeFileSync(secret, 'scrape-only-9f2m4x8q-in-file', { mode: 0o644 })
    const named = { METRICS_TOKEN_FILE: secret }
    expect(await filesOf(file, named)).toEqual([['warning', secret, `Run: chmod 600 ${secret}`]])
    chmodSync(secret, 0o622)
    expect(await filesOf(file, named)).toEqual([['problem', secret, `Run: chmod 600 ${secret}`]])
    chmodSync(secret, 0o600)
    expect(await filesOf(file, named)).toEqual([['ok', null, null]])
  })

  test('14.4 a log of another user than the database is a problem, and a .env of another user a warning', async () => {
    const file = copied()
    const env = join(scratchFolder('env'), 'settings.env')
    writeFileSync(env, 'LOG_LEVEL=info\n', { mode: 0o600 })
    writeFileSync(`${file}-shm`, '', { mode: 0o600 })
    // Only root can give a file away. `.ci/run` is root.
    if (process.getuid?.() !== 0) return
    chownSync(`${file}-shm`, 65_534, 65_534)
    expect(await filesOf(file)).toEqual([['problem', `${file}-shm`, `Run: chown 0 ${file}-shm`]])
    chownSync(env, 65_534, 65_534)
    expect(await filesOf(copied(), {}, ['--env-file', env])).toEqual([['warning', env, `Run: chown 0 ${env}`]])
  })

  test('14.4 little free space is a problem, and less than an upgrade may need a warning', async () => {
    for (const [mib, verdict] of [
      [8, 'problem'],
      [128, 'warning'],
    ] as const) {
      const disk = await smallDisk(mib * 1024 * 1024)
      if (!disk) throw new Error('This test needs root or user namespaces')
      const folder = join(disk.folder, 'data')
      mkdirSync(folder)
      copyFileSync(sqliteFile(databaseUrl), join(folder, 'users.db'))
      const found = await examine(`sqlite:///${join(folder, 'users.db')}`)
      await disk.dispose()
      expect(found.of('disk')).toMatchObject([
        { verdict, subject: folder, message: expect.stringMatching(/^Only \d+ MiB/) },
      ])
    }
    expect((await examine(databaseUrl)).of('disk')).toMatchObject([{ verdict: 'ok' }])
  })
})
