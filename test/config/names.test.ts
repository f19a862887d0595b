import { expect, test } from 'bun:test'
import { nearMiss } from '../../src/config/names.ts'
import { configKeys } from '../../src/config/schema.ts'

test.each([
  ['KEYWARD_PORT', 'PORT'],
  ['port', 'PORT'],
  ['Secret_Key', 'SECRET_KEY'],
  ['SECRETKEY', 'SECRET_KEY'],
  ['SECRET-KEY', 'SECRET_KEY'],
  ['keyward_secret_key', 'SECRET_KEY'],
  ['BCRYPT_COSTS', 'BCRYPT_COST'],
  ['BCYRPT_COST', 'BCRYPT_COST'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['KEYWARD_DATABASE_URI', 'DATABASE_URL'],
  ['JWT_ALGO', 'JWT_ALG'],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['ACCES_TOKEN_EXPIRE_MINUTE', 'ACCESS_TOKEN_EXPIRE_MINUTES'],
  ['TRUSTED_PROXY', undefined],
  ['TRUSTED_PROXYS', 'TRUSTED_PROXIES'],
])('%s: did you mean %s?', (name, meant) => {
  expect(nearMiss(name, configKeys, false)).toBe(meant)
})

test('a setting under its own name is none, though others are near', () => {
  for (const key of configKeys) expect(nearMiss(key, configKeys, true)).toBeUndefined()
})

const ordinary =
  `_ BASH BASH_ENV CI COLORTERM COLUMNS CONTAINER CXX DATABASE DATABASE_HOST DATABASE_NAME DATABASE_PASSWORD
  DATABASE_PORT DATABASE_UID DATABASE_USER DB_HOST DB_PASSWORD DB_PORT DEBUG DISPLAY EDITOR EDITOR_PORT EMAIL ENV GPG_KEY HISTSIZE
  HOME HOSTNAME HOSTTYPE HTTPS_PROXY HTTP_PROXY INVOCATION_ID IFS JAVA_HOME JOURNAL_STREAM JWT_AUD KEYWARD_SERVICE_HOST
  KEYWARD_SERVICE_PORT KUBERNETES_PORT KUBERNETES_SERVICE_HOST LANG LANGUAGE LC_ALL LD_LIBRARY_PATH LESS LINES LOGNAME
  LOG_DIR LOG_FILE LS_COLORS MAIL MANPATH NODE_ENV NODE_OPTIONS NO_PROXY NVM_DIR OLDPWD PAGER PATH PGHOST PGPORT PORTS POST
  POSTGRES_DB POSTGRES_PASSWORD POSTGRES_USER PPID PS1 PUBLIC_KEY PWD PYTHONPATH RATE REDIS_HOST REDIS_PORT SECRET
  SHELL SHLVL SMTP_HOST SMTP_PORT SSH_AGENT_PID SSH_AUTH_SOCK SSH_TTY SUDO_USER TEMP TERM TMP TMPDIR TOKEN TZ UID USER
  USERNAME VIRTUAL_ENV VISUAL XDG_RUNTIME_DIR XDG_SESSION_ID HOST_IP HOSTS COST`
    .trim()
    .split(/\s+/)

test('ordinary names of the process environment are left alone', () => {
  expect(ordinary.filter((name) => nearMiss(name, configKeys, false) !== undefined)).toEqual([])
})

test('in a file of settings short names are read more closely', () => {
  expect(nearMiss('PROT', configKeys, false)).toBeUndefined()
  expect(nearMiss('PROT', configKeys, true)).toBe('PORT')
  expect(nearMiss('HOSTS', configKeys, true)).toBe('HOST')
  expect(ordinary.filter((name) => nearMiss(name, configKeys, true) !== undefined)).toEqual([
    'PAGER',
    'PORTS',
    'POST',
    'HOSTS',
    'COST',
  ])
})
