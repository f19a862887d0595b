import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratchFolder } from '../support/scratch.ts'
import { dotenv, load, OTHER_SECRET, problems, SECRET_KEY, settings } from './loading.ts'

describe('defaults', () => {
  test('of production', () => {
    expect(settings({})).toEqual({
      DATABASE_URL: { dialect: 'sqlite', path: './keyward.db', shown: 'sqlite:///./keyward.db' },
      SQLITE_SYNCHRONOUS: 'FULL',
      SQLITE_CACHE_MB: 16,
      POSTGRES_POOL_SIZE: 10,
      SECRET_KEY,
      JWT_ALG: 'ES256',
      JWT_COMPAT: 'none',
      TOKEN_CLAIMS: ['username', 'email', 'email_verified', 'roles'],
      KEY_ROTATION_DAYS: 90,
      HOST: '0.0.0.0',
      PORT: 8000,
      IDLE_TIMEOUT_SECONDS: 75,
      PUBLIC_URL: 'http://localhost:8000',
      ACCESS_TOKEN_EXPIRE_MINUTES: 30,
      AUTH_CODE_SECONDS: 60,
      DEVICE_CODE_MINUTES: 10,
      PASSWORD_GRANT: 'on',
      ID_TOKEN_MINUTES: 60,
      REFRESH_TOKEN_EXPIRE_DAYS: 30,
      SESSION_MAX_DAYS: 180,
      MAX_SESSIONS_PER_USER: 50,
      BROWSER_SESSION_HOURS: 12,
      REMEMBER_ME_DAYS: 30,
      CLIENT_REFRESH_DAYS: 30,
      REQUIRE_SECOND_FACTOR: 'admins',
      SECOND_FACTOR_GRACE_DAYS: 7,
      MAX_FACTORS_PER_USER: 10,
      TRUSTED_DEVICE_DAYS: 0,
      PASSKEYS: 'on',
      PASSKEYS_SYNCED: 'allow',
      WEBAUTHN_ORIGINS: [],
      REFRESH_TOKEN_GRACE_SECONDS: 10,
      REFRESH_TOKEN_RETRY_SECONDS: 3600,
      BCRYPT_COST: 12,
      HASH_MAX_WAIT_MS: 5000,
      HASH_NICE: 10,
      PASSWORD_MIN_LENGTH: 8,
      REGISTRATION: 'open',
      REQUIRE_EMAIL_VERIFICATION: 'false',
      EMAIL_DOMAINS_ALLOWED: [],
      EMAIL_DOMAINS_BLOCKED: [],
      RATE_LIMIT: 'on',
      LIMITS: [],
      TRUSTED_PROXIES: [],
      CORS_ORIGINS: [],
      MAIL_MAX_ATTEMPTS: 12,
      APP_NAME: 'Keyward',
      PAGES: 'on',
      EMAIL_LOGIN: 'off',
      OUTGOING_ADDRESSES: 'public',
      AUDIT_DAYS: 400,
      AUDIT_IP_DAYS: 30,
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'auto',
      SHUTDOWN_DELAY_SECONDS: 5,
    })
  })

  test('that --dev changes', () => {
    const production = settings({})
    const dev = load({}, { dev: true }).config
    expect(dev).toEqual({
      ...production,
      SECRET_KEY: undefined,
      HOST: '127.0.0.1',
      REQUIRE_SECOND_FACTOR: 'none',
      LOG_FORMAT: 'text',
      SHUTDOWN_DELAY_SECONDS: 0,
    })
    expect(settings({ LOG_FORMAT: 'json', SHUTDOWN_DELAY_SECONDS: '7' }, { dev: true })).toMatchObject({
      LOG_FORMAT: 'json',
      SHUTDOWN_DELAY_SECONDS: 7,
    })
  })

  test('PUBLIC_URL follows PORT', () => {
    expect(settings({ PORT: '9123' }).PUBLIC_URL).toBe('http://localhost:9123')
    expect(settings({ PORT: '9123', PUBLIC_URL: 'https://auth.example.com' }).PUBLIC_URL).toBe(
      'https://auth.example.com',
    )
  })

  test('the result cannot be changed', () => {
    expect(Object.isFrozen(settings({}))).toBe(true)
  })
})

describe('where a value comes from', () => {
  test('the environment wins over the file, the file over the default', () => {
    const file = dotenv('PORT=9001\nHASH_NICE=3\n')
    expect(settings({ PORT: '9002' }, { dotenv: file })).toMatchObject({ PORT: 9002, HASH_NICE: 3, BCRYPT_COST: 12 })
  })

  test.each(['', ' ', '\n'])('an empty value %j counts as unset, in both', (empty) => {
    expect(settings({ PORT: empty, JWT_SECRET: empty }, { dotenv: dotenv('PORT=9001') })).toMatchObject({ PORT: 9001 })
    expect(settings({}, { dotenv: dotenv(`PORT='${empty.trim()}'`) }).PORT).toBe(8000)
    expect(settings({ JWT_SECRET: empty }).JWT_SECRET).toBeUndefined()
  })

  test('an empty TOKEN_CLAIMS is the empty list, not unset', () => {
    expect(settings({ TOKEN_CLAIMS: '' }).TOKEN_CLAIMS).toEqual([])
    expect(settings({}, { dotenv: dotenv('TOKEN_CLAIMS=') }).TOKEN_CLAIMS).toEqual([])
    expect(settings({ TOKEN_CLAIMS: '' }, { dotenv: dotenv('TOKEN_CLAIMS=email') }).TOKEN_CLAIMS).toEqual([])
  })

  test('a wrong value of the file that the environment replaces is not judged', () => {
    expect(settings({ PORT: '9002' }, { dotenv: dotenv('PORT=nonsense') }).PORT).toBe(9002)
  })
})

describe('what is wrong', () => {
  const file = dotenv('PORT=80800\nBCRYPT_COSTS=11\nnonsense\nHASH_NICE=1\nHASH_NICE=2')
  const env = { SECRET_KEY: 'too short', JWT_ALG: 'es256', METRICS_TOKEN: 'short' }
  const number = 'takes a whole number from'

  test('is reported all at once, each with what it got and what it takes', () => {
    expect(problems(env, { dotenv: file })).toEqual([
      ['/srv/.env:3', 'is not KEY=value'],
      ['/srv/.env:5', 'sets HASH_NICE again, line 4 already does'],
      ['BCRYPT_COSTS', 'is not a setting of Keyward, did you mean BCRYPT_COST?'],
      ['SECRET_KEY', expect.stringMatching(/^got 9 characters; takes at least 32 random characters\./)],
      ['JWT_ALG', 'got "es256"; takes ES256, EdDSA, RS256 or HS256'],
      ['PORT', `got "80800"; ${number} 0 to 65535`],
      ['METRICS_TOKEN', 'got 5 characters; takes at least 16 letters, digits or any of -._~+/'],
    ])
  })

  test('reads as text, with the line of the file', () => {
    expect(() => load({ SECRET_KEY, HASH_NICE: '20' }, { dotenv: dotenv('# x\nPORT=x') })).toThrow(
      `The configuration has 2 problems:\n  PORT (/srv/.env:2): got "x"; ${number} 0 to 65535\n  HASH_NICE: got "20"; ${number} 0 to 19`,
    )
    expect(() => load({ SECRET_KEY, HASH_NICE: '20' })).toThrow('The configuration has a problem:\n  HASH_NICE: got')
  })

  test('shows a value on one line, cut, and without credentials in an address', () => {
    const [[, message] = []] = problems({ LOG_LEVEL: `a\n\u001b[31m${'x'.repeat(500)}` })
    expect(message).toMatch(/^got "a\\n\\u001b\[31mx{73}…"; takes /)
    expect(problems({ PUBLIC_URL: 'https://ada:hunter2@example.com' })[0]?.[1]).toStartWith(
      'got "https://********@example.com"',
    )
  })
})

describe('settings that depend on each other', () => {
  test('HS256 needs JWT_SECRET, once said', () => {
    expect(settings({ JWT_ALG: 'HS256', JWT_SECRET: OTHER_SECRET }).JWT_ALG).toBe('HS256')
    expect(problems({ JWT_ALG: 'HS256' })).toEqual([
      ['JWT_SECRET', 'is not set; takes at least 32 random characters: JWT_ALG=HS256 signs with it'],
    ])
    expect(problems({ JWT_ALG: 'HS256', JWT_SECRET: 'short' })).toEqual([
      ['JWT_SECRET', expect.stringContaining('got 5 characters')],
    ])
  })

  test('JWT_SECRET is neither SECRET_KEY nor SECRET_KEY_PREVIOUS', () => {
    expect(problems({ JWT_SECRET: SECRET_KEY })).toEqual([
      ['JWT_SECRET', expect.stringContaining('got the value of SECRET_KEY; ')],
    ])
    expect(problems({ JWT_SECRET: OTHER_SECRET, SECRET_KEY_PREVIOUS: OTHER_SECRET })).toEqual([
      ['JWT_SECRET', expect.stringContaining('got the value of SECRET_KEY_PREVIOUS; ')],
    ])
  })

  test('JWT_COMPAT=fastapi goes with HS256 alone', () => {
    const fastapi = { JWT_COMPAT: 'fastapi', JWT_SECRET: OTHER_SECRET }
    expect(settings({ ...fastapi, JWT_ALG: 'HS256' }).JWT_COMPAT).toBe('fastapi')
    expect(problems(fastapi)).toEqual([
      ['JWT_COMPAT', 'got "fastapi" with JWT_ALG=ES256; takes it with JWT_ALG=HS256 only'],
    ])
  })
})

describe('names that are nearly a setting', () => {
  test('are problems in the file, with their line', () => {
    expect(() => load({ SECRET_KEY }, { dotenv: dotenv('\nKEYWARD_PORT=1\nPROT=2') })).toThrow(
      /KEYWARD_PORT \(\/srv\/\.env:2\): is not a setting of Keyward, did you mean PORT\?\n {2}PROT \(\/srv\/\.env:3\)/,
    )
  })

  test('are warnings in the environment', () => {
    const { config, warnings } = load({ SECRET_KEY, KEYWARD_PORT: '1', BCRYPT_COSTS: '11', PROT: '2', HOME: '/root' })
    expect(config).toMatchObject({ PORT: 8000, BCRYPT_COST: 12 })
    expect(warnings).toEqual([
      { key: 'KEYWARD_PORT', message: 'is not a setting of Keyward, did you mean PORT?' },
      { key: 'BCRYPT_COSTS', message: 'is not a setting of Keyward, did you mean BCRYPT_COST?' },
    ])
  })

  test('12.D2 any other name in the file is a warning that names its line', () => {
    const { warnings } = load({ SECRET_KEY }, { dotenv: dotenv('SMTP_HOST=mail\nPORT=8001\nTOKEN_EXPIRE=5') })
    expect(warnings).toEqual([
      { key: 'SMTP_HOST', source: '/srv/.env:1', message: 'is not a setting of Keyward' },
      { key: 'TOKEN_EXPIRE', source: '/srv/.env:3', message: 'is not a setting of Keyward' },
    ])
  })

  test('what Kubernetes sets for a service named keyward is no warning', () => {
    expect(load({ SECRET_KEY, KEYWARD_PORT: 'tcp://10.0.0.1:8000', KEYWARD_SERVICE_PORT: '8000' }).warnings).toEqual([])
  })

  test('foreign names in the file are left alone', () => {
    expect(problems({}, { dotenv: dotenv('POSTGRES_PASSWORD=x\nALGORITHM=HS256\nSMTP_PORT=25') })).toEqual([])
  })
})

test('12.D2 beside a development database, a missing SECRET_KEY is answered with --dev and not with a fresh key', () => {
  const file = join(scratchFolder('dev'), 'keyward.db')
  const given = { DATABASE_URL: `sqlite:///${file}` }
  expect(problems({ ...given, SECRET_KEY: '' })[0]![1]).toContain('A fresh one')
  writeFileSync(`${file}.secret`, 'x')
  expect(problems({ ...given, SECRET_KEY: '' })).toEqual([
    ['SECRET_KEY', `is not set, but ${file}.secret is there: add --dev if this is a development database`],
  ])
})
