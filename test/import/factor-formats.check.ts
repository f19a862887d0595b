import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { twoFactor } from 'better-auth/plugins'
import { coseKeyOf } from '../../src/features/factors/imported-key.ts'
import { unseal } from '../../src/lib/seal.ts'
import { createTestApp, type TestApp, testSecret } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { describeEachDialect, dialects } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'
import { importFrom, oldService } from './old-service.ts'

/* The second factors of other services, as their tables have them. */

const uuid = (last: number) => `0b5f8f3e-6a55-4a38-9f0d-00000000000${last}`
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const cose = Buffer.from(coseKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey))

async function imported(source: string, target: string, ...flags: string[]) {
  await migrated(target)
  const said = await importFrom(source, target, ...flags)
  const app = await createTestApp({ databaseUrl: target })
  return { ...said, app, [Symbol.asyncDispose]: () => app.close() }
}

const secretsOf = async (app: TestApp) =>
  (await app.rows.totpFactors.all()).map(({ id, name, secret: sealed }) => [
    name,
    Buffer.from(unseal([testSecret], `totp_factors.secret:${id}`, sealed)!).toString('hex'),
  ])

const postgres = dialects.find(({ name }) => name === 'postgresql')!

test('Supabase: verified factors come along; encrypted ones and phones keep the account out', async () => {
  const old = await oldService(
    postgres,
    `CREATE SCHEMA auth; CREATE TYPE auth.factor_type AS ENUM('totp', 'webauthn', 'phone');
    CREATE TYPE auth.factor_status AS ENUM('unverified', 'verified');
    CREATE TABLE auth.users (id uuid NOT NULL PRIMARY KEY, aud varchar(255), email varchar(255),
      encrypted_password varchar(255), email_confirmed_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb,
      created_at timestamptz);
    CREATE TABLE auth.mfa_factors (id uuid NOT NULL PRIMARY KEY, user_id uuid NOT NULL, friendly_name text NULL,
      factor_type auth.factor_type NOT NULL, status auth.factor_status NOT NULL, created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL, secret text NULL, phone text, web_authn_credential jsonb, web_authn_aaguid uuid);
    INSERT INTO auth.users SELECT ('0b5f8f3e-6a55-4a38-9f0d-00000000000' || n)::uuid, 'authenticated', 'u' || n || '@example.com',
      '', now(), '{}', '{}', now() FROM generate_series(1, 4) AS n;
    INSERT INTO auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret, web_authn_credential)
      VALUES ('${uuid(1)}', '${uuid(1)}', 'Phone', 'totp', 'verified', '2024-02-03 04:05:06.789+02', now(), '${secret}', NULL),
      ('${uuid(2)}', '${uuid(1)}', 'Never finished', 'totp', 'unverified', now(), now(), '${secret}', NULL),
      ('${uuid(3)}', '${uuid(1)}', 'Key', 'webauthn', 'verified', now(), now(), NULL, '${JSON.stringify({
        id: Buffer.from([0xfb, 0xff, 0xfe, 1]).toString('base64'),
        publicKey: cose.toString('base64'),
        attestationType: 'none',
        transport: ['usb'],
        flags: { userPresent: true, userVerified: false, backupEligible: true, backupState: true },
        authenticator: {
          AAGUID: Buffer.from('ea9b8d664d011d213ce4b6b48cb575d4', 'hex').toString('base64'),
          signCount: 41,
          cloneWarning: false,
        },
      })}'),
      ('${uuid(4)}', '${uuid(2)}', NULL, 'totp', 'verified', now(), now(), '{"key_id":"1","alg":"aes-gcm-hkdf","data":"x"}', NULL),
      ('${uuid(5)}', '${uuid(3)}', NULL, 'phone', 'verified', now(), now(), NULL, NULL)`,
  )
  const flags = ['--format', 'supabase', '--skip-invalid']
  await using found = await imported(old.url, (await postgres.databaseUrl()).url, ...flags)
  expect(found.err.trim().split('\n')).toEqual([
    `id ${uuid(2)}: the secret of the authenticator app is encrypted by Supabase`,
    `id ${uuid(3)}: the second factor is a phone, which Keyward does not have`,
  ])
  expect(found.out).toContain('Imported 2 accounts into ')
  expect(found.out).toContain('  2 second factors: ')
  expect(await secretsOf(found.app)).toEqual([['Phone', '48656c6c6f21deadbeef'.repeat(2)]])
  expect(await found.app.rows.totpFactors.one()).toMatchObject({ createdAt: Date.UTC(2024, 1, 3, 2, 5, 6, 789) })
  expect(await found.app.rows.passkeys.one()).toMatchObject({
    credentialId: Buffer.from([0xfb, 0xff, 0xfe, 1]).toString('base64url'),
    publicKey: cose.toString('base64url'),
    alg: -7,
    signCount: 41,
    kind: 'security_key',
    isUvInitialized: false,
    isBackupEligible: true,
    isBackedUp: true,
    aaguid: 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4',
    transports: '["usb"]',
    name: 'Key',
    rpId: 'localhost',
  })
  const rest = await keyward(['import', '--from', 'OLD_DATABASE_URL', ...flags, '--without-factors'], {
    databaseUrl: found.app.databaseUrl,
    env: { OLD_DATABASE_URL: old.url },
  })
  expect([rest.code, rest.err]).toEqual([0, ''])
  expect(await found.app.rows.users.count()).toBe(4)
  expect(await found.app.rows.totpFactors.count()).toBe(1)
})

describeEachDialect('better-auth', (dialect) => {
  test('passkeys come along as security keys, in camel case and in snake case', async () => {
    const [time, flag] = dialect.name === 'sqlite' ? ['DATE', 'INTEGER'] : ['TIMESTAMPTZ', 'BOOLEAN']
    const yes = dialect.name === 'sqlite' ? 1 : true
    const snake = (name: string) => name.replace(/ID$/, 'Id').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    for (const spell of [(name: string) => name, snake]) {
      const plural = spell === snake ? 's' : ''
      const names = (...columns: string[]) => columns.map((name) => `"${spell(name)}"`).join(', ')
      const old = await oldService(
        dialect,
        `CREATE TABLE "user${plural}" ("id" TEXT PRIMARY KEY, "name" TEXT, "email" TEXT, ${names('emailVerified')} ${flag},
          ${names('createdAt')} ${time}, ${names('twoFactorEnabled')} ${flag});
        CREATE TABLE "account${plural}" (${names('id', 'userId', 'providerId')}, "password" TEXT)`.replace(
          /\(("id", "user_?[Ii]d", "provider_?[Ii]d")/,
          (_, list: string) => `(${list.replaceAll('",', '" TEXT,')} TEXT`,
        ),
      )
      await old.execute(
        `CREATE TABLE "passkey${plural}" ("id" TEXT PRIMARY KEY, "name" TEXT, ${names('publicKey')} TEXT, ${names('userId')} TEXT,
          ${names('credentialID')} TEXT, "counter" INTEGER, ${names('deviceType')} TEXT, ${names('backedUp')} ${flag},
          "transports" TEXT, ${names('createdAt')} ${time}, "aaguid" TEXT);
        INSERT INTO "user${plural}" VALUES ('u1', 'Ada', 'ada@example.com', ${yes}, '2024-02-03T04:05:06.789Z', NULL);
        INSERT INTO "passkey${plural}" VALUES ('k1', 'Laptop', '${cose.toString('base64')}', 'u1', 'c29tZSBpZA', 3, 'multiDevice', ${yes},
          'internal,hybrid', '2024-02-03T04:05:06.789Z', 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4')`,
      )
      await using found = await imported(old.url, (await dialect.databaseUrl()).url)
      expect([found.code, found.err]).toEqual([0, ''])
      expect(found.out).toContain('  1 second factor: ')
      expect(await found.app.rows.passkeys.one()).toMatchObject({
        credentialId: 'c29tZSBpZA',
        publicKey: cose.toString('base64url'),
        kind: 'security_key',
        isUvInitialized: false,
        isBackupEligible: true,
        isBackedUp: true,
        signCount: 3,
        transports: '["internal","hybrid"]',
        name: 'Laptop',
        createdAt: Date.UTC(2024, 1, 3, 4, 5, 6, 789),
      })
    }
  })
})

test('a real better-auth encrypts the secret of an authenticator app, so the account waits for --without-factors', async () => {
  const path = join(scratchFolder('better-auth'), 'auth.db')
  const database = new Database(path, { create: true })
  const options = {
    database,
    secret: 'only-for-this-test-8d1f0c35b7e94a26',
    baseURL: 'http://localhost:3000',
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [twoFactor({ skipVerificationOnEnable: true })],
  }
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)
  const body = { email: 'ada@example.com', name: 'Ada', password: 'correct horse battery' }
  const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
  const cookie = headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  await auth.api.enableTwoFactor({ body: { password: body.password }, headers: new Headers({ cookie }) })
  await auth.api.signUpEmail({ body: { ...body, email: 'bea@example.com' } })
  database.close()
  const { url } = await dialects[0]!.databaseUrl()
  await using found = await imported(`sqlite:///${path}`, url, '--skip-invalid')
  expect(found.err).toMatch(/^id \S+: the secret of the authenticator app is encrypted by better-auth\n$/)
  expect(found.out).toContain('Imported 1 account into ')
  expect((await importFrom(`sqlite:///${path}`, url, '--without-factors')).out).toContain('Imported 1 account into ')
  expect(await found.app.rows.totpFactors.count()).toBe(0)
})
