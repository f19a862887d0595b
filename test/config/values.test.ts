import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../support/random.ts'
import { dotenv, load, problems, settings } from './loading.ts'

describe('whole numbers', () => {
  test.each([
    ['POSTGRES_POOL_SIZE', 1, 200],
    ['SQLITE_CACHE_MB', 1, 1_024],
    ['PORT', 0, 65_535],
    ['IDLE_TIMEOUT_SECONDS', 1, 255],
    ['ACCESS_TOKEN_EXPIRE_MINUTES', 1, 1440],
    ['BCRYPT_COST', 10, 15],
    ['HASH_MAX_WAIT_MS', 100, 60_000],
    ['HASH_NICE', 0, 19],
    ['PASSWORD_MIN_LENGTH', 8, 64],
    ['SHUTDOWN_DELAY_SECONDS', 0, 300],
    ['MAIL_MAX_ATTEMPTS', 1, 100],
  ] as const)('%s takes %d to %d', (key, minimum, maximum) => {
    expect(settings({ [key]: String(minimum) })[key]).toBe(minimum)
    expect(settings({ [key]: ` ${maximum} ` })[key]).toBe(maximum)
    for (const wrong of [
      String(minimum - 1),
      String(maximum + 1),
      '1.5',
      '1e1',
      '0x10',
      '011',
      '+11',
      '11s',
      'NaN',
      '9'.repeat(400),
    ])
      expect(problems({ [key]: wrong }), wrong).toEqual([
        [key, expect.stringContaining(`whole number from ${minimum} to ${maximum}`)],
      ])
  })

  test('B4: BCRYPT_COST goes down to 4 with --dev alone', () => {
    expect(settings({ BCRYPT_COST: '4' }, { dev: true }).BCRYPT_COST).toBe(4)
    expect(problems({ BCRYPT_COST: '3' }, { dev: true })).toHaveLength(1)
    expect(problems({ BCRYPT_COST: '4' })).toEqual([
      ['BCRYPT_COST', 'got "4"; takes a whole number from 10 to 15 (from 4 with --dev)'],
    ])
  })
})

describe('words', () => {
  test.each([
    ['SQLITE_SYNCHRONOUS', ['FULL', 'NORMAL'], 'normal'],
    ['JWT_ALG', ['ES256', 'EdDSA', 'RS256'], 'none'],
    ['RATE_LIMIT', ['on', 'off'], 'false'],
    ['LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'INFO'],
    ['LOG_FORMAT', ['auto', 'json', 'text'], 'pretty'],
  ] as const)('%s takes %j and nothing else', (key, words, wrong) => {
    for (const word of words) expect(settings({ [key]: word })[key]).toBe(word)
    expect(problems({ [key]: wrong })).toEqual([[key, expect.stringContaining(`got "${wrong}"; takes ${words[0]}`)]])
  })
})

describe('lists', () => {
  test('are split at commas, spaces and empty parts dropped, each entry once', () => {
    expect(settings({ TOKEN_CLAIMS: ' roles, email,,roles ,' }).TOKEN_CLAIMS).toEqual(['roles', 'email'])
  })

  test('name the entries that are wrong', () => {
    expect(problems({ TOKEN_CLAIMS: 'email,phone,roles,Email' })).toEqual([
      [
        'TOKEN_CLAIMS',
        'got "phone", "Email"; takes a comma-separated list out of username, email, email_verified and roles; empty for none',
      ],
    ])
  })

  test('TRUSTED_PROXIES takes addresses and networks', () => {
    const good = ['10.0.0.1', '10.0.0.0/8', '172.17.0.1/16', '::1', '2001:db8::/32', 'fd00::/8']
    expect(settings({ TRUSTED_PROXIES: good.join(', ') }).TRUSTED_PROXIES.map(({ text }) => text)).toEqual(good)
    for (const wrong of [
      '1',
      '127.1',
      '010.0.0.1',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10/8',
      '::1/129',
      'fe80::1%eth0',
      'proxy.local',
      '*',
      '0.0.0.0/0',
      '::/0',
    ])
      expect(problems({ TRUSTED_PROXIES: `10.0.0.1,${wrong}` }), wrong).toEqual([
        [
          'TRUSTED_PROXIES',
          expect.stringContaining(`got "${wrong}"; takes a comma-separated list of IP addresses and networks`),
        ],
      ])
  })

  test('CORS_ORIGINS takes origins as browsers send them', () => {
    const good = ['https://app.example.com', 'http://localhost:5173', 'http://[::1]:3000', 'capacitor://localhost']
    expect(settings({ CORS_ORIGINS: good.join(',') }).CORS_ORIGINS).toEqual(good)
    for (const wrong of [
      '*',
      'null',
      'https://*.example.com',
      'https://app.example.com/',
      'https://App.example.com',
      'https://a.example:443',
      'https://a.example/x',
      'app.example.com',
      'https://u:p@a.example',
      'Capacitor://localhost',
      'capacitor://Localhost',
      'file://',
    ])
      expect(problems({ CORS_ORIGINS: wrong }), wrong).toEqual([
        ['CORS_ORIGINS', expect.stringContaining('takes a comma-separated list of origins')],
      ])
  })
})

describe('addresses', () => {
  test('HOST takes an IP address or a host name', () => {
    for (const good of ['127.0.0.1', '::', 'localhost', 'auth.example.com'])
      expect(settings({ HOST: good }).HOST).toBe(good)
    for (const wrong of [
      '8000',
      'x86_64-conda-linux-gnu',
      'localhost:8000',
      'http://localhost',
      '[::]',
      '1.2.3',
      '*',
      '-a',
    ])
      expect(problems({ HOST: wrong }), wrong).toEqual([['HOST', `got "${wrong}"; takes an IP address or a host name`]])
  })

  test.each([
    ['https://auth.example.com', 'https://auth.example.com'],
    ['https://auth.example.com/', 'https://auth.example.com'],
    ['https://auth.example.com/base/path//', 'https://auth.example.com/base/path'],
    ['HTTPS://Auth.Example.com:443', 'https://auth.example.com'],
    ['http://127.0.0.1:8000/auth', 'http://127.0.0.1:8000/auth'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
  ])('PUBLIC_URL %s is kept as %s', (given, kept) => {
    expect(settings({ PUBLIC_URL: given }).PUBLIC_URL).toBe(kept)
  })

  test.each([
    'auth.example.com',
    'ftp://auth.example.com',
    'http:auth.example.com',
    'https:///auth',
    'https://auth.example.com?x=1',
    'https://auth.example.com/?',
    'https://auth.example.com/#',
    'https://ada@auth.example.com',
    'https://@auth.example.com',
    'https://auth.example.com\\@evil.example',
    'https://auth example.com',
    'https://auth.example.com:99999',
  ])('PUBLIC_URL %s is refused', (given) => {
    expect(problems({ PUBLIC_URL: given })).toEqual([
      ['PUBLIC_URL', expect.stringContaining('takes an http or https address')],
    ])
  })

  test('JWT_AUDIENCE is one line of text', () => {
    expect(settings({ JWT_AUDIENCE: ' https://api.example.com ' }).JWT_AUDIENCE).toBe('https://api.example.com')
    expect(problems({ JWT_AUDIENCE: 'a\nb' })).toEqual([['JWT_AUDIENCE', 'got "a\\nb"; takes one line of text']])
  })

  test('DATABASE_URL is kept parsed, and a password in a refused one is not shown', () => {
    expect(settings({ DATABASE_URL: 'postgresql+psycopg://user:password@localhost/dbname' }).DATABASE_URL).toEqual({
      dialect: 'postgresql',
      url: 'postgresql://user:password@localhost/dbname',
      shown: 'postgresql://user:********@localhost/dbname',
      host: 'localhost',
      database: 'dbname',
      files: [],
    })
    for (const wrong of [
      'mysql://root:hunter2@host/db',
      'postgresql://root:hunter2/x@host/db',
      'root:hunter2@host',
      'hunter2',
    ]) {
      const [[key, message = ''] = []] = problems({ DATABASE_URL: wrong })
      expect(key).toBe('DATABASE_URL')
      expect(message).not.toContain('hunter2')
      expect(message).toContain('takes sqlite:///./relative.db, sqlite:////absolute.db or postgresql://')
    }
  })
})

describe('secrets', () => {
  test('E9, S5: a missing SECRET_KEY is refused in production with a line to copy that works', () => {
    const [[key, message = ''] = []] = problems({ SECRET_KEY: undefined })
    expect(key).toBe('SECRET_KEY')
    expect(message).toStartWith('is not set; takes at least 32 random characters.')
    const line = message.split('\n').at(-1) ?? ''
    expect(line).toMatch(/^SECRET_KEY=[0-9a-f]{64}$/)
    expect(load({}, { dotenv: dotenv(line) }).config.SECRET_KEY).toBe(line.slice('SECRET_KEY='.length))
  })

  test('the line is fresh each time', () => {
    const text = (seed: string) => problems({ SECRET_KEY: '' }, { random: seededRandom(seed) })[0]?.[1]
    expect(text('a')).not.toBe(text('b'))
  })

  test('a missing one is left to --dev, a bad one is not', () => {
    expect(load({}, { dev: true }).config.SECRET_KEY).toBeUndefined()
    expect(problems({ SECRET_KEY: 'short' }, { dev: true })).toHaveLength(1)
  })

  test.each(['SECRET_KEY', 'SECRET_KEY_PREVIOUS', 'JWT_SECRET'] as const)(
    '%s takes 32 characters, exactly as given',
    (key) => {
      const secret = 'k9$ü#Lq"2 z=\'vR7@wX4!mB8^tN6&cJ1'
      expect([...secret].length).toBe(32)
      expect(settings({ [key]: secret })[key]).toBe(secret)
      const wrong = [secret.slice(0, 31), ` ${secret}`, `${secret}\n`, `${secret}\u0007x`]
      for (const value of wrong) {
        const found = problems({ [key]: value })
        expect(found).toEqual([[key, expect.stringContaining(`got ${[...value].length} characters`)]])
        expect(JSON.stringify(found)).not.toContain('Lq')
      }
    },
  )

  test.each([
    ['your-secure-secret-key', 22],
    ['932a9a8a39cba70f83e0f0b095b6892a31b5923e28383fa6920c20ec970419cb', 64],
    ['09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', 64],
    ['x'.repeat(40), 40],
  ])('the known value %s is refused everywhere, with --dev too, and not repeated', (value, size) => {
    for (const key of ['SECRET_KEY', 'SECRET_KEY_PREVIOUS', 'JWT_SECRET'])
      for (const dev of [true, false]) {
        const found = problems({ [key]: value }, { dev })
        expect(found).toEqual([
          [key, expect.stringContaining(`got ${size} characters, a known example or easy to guess; takes`)],
        ])
        expect(JSON.stringify(found)).not.toContain(value)
      }
  })

  test('METRICS_TOKEN must be what a Bearer header can carry', () => {
    expect(settings({ METRICS_TOKEN: 'k9f2m4x8q1w7z3v5' }).METRICS_TOKEN).toBe('k9f2m4x8q1w7z3v5')
    for (const wrong of ['k9f2m4x8q1w7z3v', 'k9f2m4x8 q1w7z3v5', 'k9f2m4x8q1w7z3vü', 'k9f2m4x8,q1w7z3v5'])
      expect(problems({ METRICS_TOKEN: wrong })).toEqual([
        ['METRICS_TOKEN', expect.stringContaining('takes at least 16 letters, digits or any of')],
      ])
  })
})
