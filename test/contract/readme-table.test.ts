import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { settingNames } from '../../src/config/schema.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { everyCommand } from '../support/binary.ts'

setDefaultTimeout(60_000)

const lines = (await Bun.file(join(import.meta.dir, '..', '..', 'README.md')).text()).split('\n')
const head = lines.indexOf('| it has | it does not have yet |')
const end = lines.indexOf('', head)
const columns = lines.slice(head + 2, end).map((line) => line.slice(1, -1).split('|'))
const column = (at: 0 | 1) => columns.map((cells) => cells[at]!.trim()).filter((cell) => cell !== '')

interface Evidence {
  /** Routes and commands that exist because Keyward has it. */
  routes?: string[]
  commands?: string[]
  settings?: string[]
}

/** The left column: each cell with its evidence. Together they name every documented route and every command. */
const has: Record<string, Evidence> = {
  'Registration, login, change of profile, address and password, password reset, proof of an address, export, deletion':
    {
      routes: ['POST /register', 'POST /token', 'GET /users/me', 'PUT /users/me/password'].concat([
        'PATCH /users/me',
        'DELETE /users/me',
        'POST /users/me/delete',
        'POST /users/me/export',
        'POST /password/forgot',
        'POST /password/reset',
        'POST /email/verification',
        'POST /email/verify',
        'POST /email/change/confirm',
        'POST /email/undo',
        'POST /invitation/accept',
        'POST /login/email',
        'POST /login/email/verify',
      ]),
      commands: [
        'users create',
        'users invite',
        'users set-password',
        'users list',
        'users deactivate',
        'users activate',
      ].concat(['users delete', 'users free', 'users show']),
      settings: ['REGISTRATION', 'BCRYPT_COST'],
    },
  'Access tokens (JWT) that other services verify with public keys; keys rotate by themselves': {
    routes: ['GET /.well-known/jwks.json', 'GET /.well-known/oauth-authorization-server'],
    commands: ['signing-keys list', 'signing-keys rotate', 'signing-keys revoke', 'secrets status', 'secrets renew'],
    settings: ['JWT_ALG', 'KEY_ROTATION_DAYS'],
  },
  'Sessions with refresh tokens: list and end them; stolen refresh tokens are detected': {
    routes: ['POST /token/refresh', 'GET /users/me/sessions', 'DELETE /users/me/sessions'].concat([
      'DELETE /users/me/sessions/{id}',
      'POST /logout',
      'POST /revoke',
    ]),
    commands: ['sessions list', 'sessions end'],
    settings: ['REFRESH_TOKEN_GRACE_SECONDS'],
  },
  'A second factor at every login: codes of authenticator apps, and recovery codes': {
    routes: [
      'POST /token/mfa',
      'POST /token/enroll',
      'POST /token/enroll/totp',
      'POST /token/enroll/confirm',
      'POST /token/step-up',
      'GET /users/me/factors',
      'PATCH /users/me/factors/{id}',
      'DELETE /users/me/factors/{id}',
      'POST /users/me/factors/totp',
      'POST /users/me/factors/totp/{id}/confirm',
      'POST /users/me/recovery-codes',
      'GET /users/me/trusted-devices',
      'DELETE /users/me/trusted-devices',
      'DELETE /users/me/trusted-devices/{id}',
    ],
    settings: ['MAX_FACTORS_PER_USER', 'TRUSTED_DEVICE_DAYS'],
  },
  'Passkeys: a login without a password, both factors at once; security keys as the second factor': {
    routes: ['POST /passkeys/options', 'POST /token/passkey'].concat([
      'POST /users/me/factors/webauthn/options',
      'POST /users/me/factors/webauthn',
      'GET /.well-known/webauthn',
      'GET /.well-known/passkey-endpoints',
    ]),
    settings: ['PASSKEYS', 'PASSKEYS_SYNCED', 'WEBAUTHN_RP_ID', 'WEBAUTHN_ORIGINS'],
  },
  'Rate limits on password guessing that lock no user out': {
    commands: ['limits clear'],
    settings: ['RATE_LIMIT', 'LIMITS'],
  },
  'Roles, API keys, audit log; administrators create, invite, find, change and delete users, define and grant roles, make API keys and rotate signing keys, over HTTP':
    {
      routes: ['GET /admin/users', 'GET /admin/users/{id}', 'GET /admin/audit', 'PATCH /admin/users/{id}'].concat([
        'POST /admin/users',
        'POST /admin/users/{id}/invitation',
        'DELETE /admin/users/{id}',
        'DELETE /admin/users/{id}/sessions',
        'POST /admin/users/{id}/password-reset',
        'GET /admin/users/{id}/factors',
        'DELETE /admin/users/{id}/factors',
        'DELETE /admin/users/{id}/factors/{fid}',
        'POST /admin/users/{id}/factor-recovery',
        'POST /factor-recovery/finish',
        'PUT /admin/users/{id}/roles/{role}',
        'DELETE /admin/users/{id}/roles/{role}',
        'GET /admin/roles',
        'POST /admin/roles',
        'GET /admin/roles/{name}',
        'PATCH /admin/roles/{name}',
        'DELETE /admin/roles/{name}',
        'GET /admin/api-keys',
        'POST /admin/api-keys',
        'DELETE /admin/api-keys/{id}',
        'GET /admin/keys',
        'POST /admin/keys/rotate',
        'POST /admin/keys/{kid}/revoke',
      ]),
      commands: ['apikeys create', 'apikeys list', 'apikeys revoke', 'audit list'].concat(
        ['users factors', 'users reset-factors'],
        ['list', 'show', 'create', 'update', 'delete', 'grant', 'revoke'].map((verb) => `roles ${verb}`),
      ),
      settings: ['AUDIT_DAYS', 'ADMIN_EMAIL'],
    },
  'Clients for single sign-on, registered over HTTP, on the command line or by a file': {
    routes: ['GET /admin/clients', 'GET /admin/clients/{id}'].concat([
      'POST /admin/clients',
      'PATCH /admin/clients/{id}',
      'DELETE /admin/clients/{id}',
      'POST /admin/clients/{id}/secrets',
      'DELETE /admin/clients/{id}/secrets/{sid}',
    ]),
    commands: ['apply', 'clients secret add', 'clients secret revoke'].concat(
      ['create', 'list', 'show', 'update', 'check', 'delete'].map((verb) => `clients ${verb}`),
    ),
  },
  'Token checks for nginx, Traefik, Caddy and Envoy; introspection': {
    routes: ['GET /forward-auth', 'POST /introspect'],
  },
  'Import and export of users with ids and passwords, backup, copy to PostgreSQL and back; OpenAPI 3.1, metrics, health checks':
    {
      routes: ['GET /metrics', 'GET /livez', 'GET /readyz', 'POST /user/token', 'GET /user/user'],
      commands: ['import', 'export', 'backup', 'restore', 'copy', 'healthcheck', 'doctor'],
      settings: ['METRICS_TOKEN'],
    },
  'An OpenID provider: one sign-in for all your applications, on its own pages; devices, logout, connected applications':
    {
      routes: ['GET /authorize', 'GET /userinfo', 'POST /userinfo', 'GET /end-session'].concat([
        'GET /.well-known/openid-configuration',
        'POST /device_authorization',
        'GET /users/me/consents',
        'DELETE /users/me/consents/{id}',
      ]),
      settings: ['PASSWORD_GRANT', 'AUTH_CODE_SECONDS', 'ID_TOKEN_MINUTES'],
    },
  'Login with Google, Microsoft, Apple, GitHub, GitLab, Discord or any OpenID issuer, linked with an account only after it is proved':
    {
      routes: ['GET /admin/providers', 'POST /admin/providers', 'GET /admin/providers/{name}'].concat([
        'GET /users/me/identities',
        'DELETE /users/me/identities/{id}',
        'PATCH /admin/providers/{name}',
        'DELETE /admin/providers/{name}',
        'POST /admin/providers/{name}/test',
      ]),
      commands: ['list', 'show', 'add', 'update', 'test', 'remove']
        .map((verb) => `providers ${verb}`)
        .concat(['users identities', 'users unlink']),
    },
  'Mail that tells users of changes to their account; pages behind its links, to register, to log in and for the account, in five languages':
    {
      routes: ['GET /admin/mail', 'POST /admin/mail/{id}/resend'],
      commands: ['mail test', 'mail list', 'mail show', 'mail resend'],
      settings: ['SMTP_URL', 'MAIL_FROM', 'TEMPLATES_DIR', 'PAGES', 'APP_URL', 'REMEMBER_ME_DAYS', 'TERMS_URL'],
    },
}

/** Commands that belong to no cell: they run the server itself, or help at the command line. */
const operation = ['completion', 'serve', 'config', 'migrate up', 'migrate status']

/**
 * The right column: each cell with an expression that finds a route, a command or a setting of it, and one for each
 * part of the cell that the expression must find. When such a part is built, move it to the left column.
 */
const lacks: Record<string, { would: RegExp; find: string[] }> = {}

describe('12.D9 the table on the first screen of README', () => {
  let app: TestApp
  let documented: string[]
  let openapi: string
  let commands: string[]
  beforeAll(async () => {
    app = await createTestApp({ env: { METRICS_TOKEN: 'scrape-only-9f2m4x8q' } })
    const document = (await (await app.request('GET', '/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, object>
    }
    openapi = document.openapi
    documented = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((key) => key !== 'parameters')
        .map((method) => `${method.toUpperCase()} ${path}`),
    )
    commands = await everyCommand()
  })
  afterAll(() => app.close())

  test('is on the first screen', () => {
    expect(head).toBeGreaterThan(0)
    expect(end).toBeLessThan(40)
  })

  test('has no cell without evidence', () => {
    expect(column(0)).toEqual(Object.keys(has))
    expect(column(1)).toEqual(Object.keys(lacks))
  })

  test('names on the left only what exists', () => {
    for (const [cell, { routes = [], commands: own = [], settings = [] }] of Object.entries(has)) {
      expect([cell, routes.filter((route) => !documented.includes(route))]).toEqual([cell, []])
      expect([cell, own.filter((command) => !commands.includes(command))]).toEqual([cell, []])
      expect([cell, settings.filter((name) => !settingNames.includes(name))]).toEqual([cell, []])
    }
    expect(openapi).toStartWith('3.1')
  })

  test('names on the left every documented route and every command', () => {
    const evidence = Object.values(has)
    const routes = evidence.flatMap((one) => one.routes ?? [])
    const named = evidence.flatMap((one) => one.commands ?? []).concat(operation)
    expect(routes.toSorted()).toEqual(documented.toSorted())
    expect(named.toSorted()).toEqual(commands.toSorted())
  })

  test('names on the right nothing that exists as a route, a command or a setting', () => {
    const routes = app.table.routes.map(({ method, pattern }) => `${method} ${pattern}`)
    const everything = [...routes, ...commands, ...settingNames]
    expect(everything.length).toBeGreaterThan(60)
    for (const [cell, { would, find }] of Object.entries(lacks)) {
      expect([cell, find.filter((name) => !would.test(name))]).toEqual([cell, []])
      expect([cell, everything.filter((name) => would.test(name))]).toEqual([cell, []])
    }
  })

  test('says truly which pages there are', async () => {
    for (const { method, pattern } of app.table.routes.filter(({ method }) => method === 'GET')) {
      const path = pattern.replace(':file', 'guide').replace(':chapter', 'sessions')
      const type = (await app.request(method, path)).headers.get('content-type') ?? ''
      if (type.startsWith('text/html'))
        expect(path).toMatch(
          /^\/(?:docs|account|authorize)\b|^\/(?:forgot|reset|verify|confirm|undo|invite|sign-(?:in|up|out)|sign-in\/(?:second|enroll|step-up)|end-session|social\/.*|factor-recovery)$/,
        )
    }
  })
})
