import { expect, test } from 'bun:test'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importCoseKey } from '../../src/features/factors/webauthn/cose-key.ts'
import { unseal } from '../../src/lib/seal.ts'
import { createTestApp, type TestApp, testSecret } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { type Dialect, describeEachDialect } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'
import { bcryptHash } from './old-service.ts'

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const uri = `otpauth://totp/Shop:ada%40example.com?secret=${secret.toLowerCase()}&issuer=Shop`

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
const ed = generateKeyPairSync('ed25519').publicKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey
const spki = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })
const id = (name: string) => Buffer.from(name.padEnd(16, '.')).toString('base64url')
const handle = Buffer.from('the handle of ada').toString('base64url')

const passkey = {
  credential_id: id('phone'),
  public_key: spki(ec).toString('base64url'),
  sign_count: 7,
  user_verified: true,
  backup_eligible: true,
  backed_up: true,
  aaguid: 'EA9B8D66-4D01-1D21-3CE4-B6B48CB575D4',
  transports: ['internal', 'hybrid'],
  name: 'Phone',
  created_at: '2024-02-03T04:05:06Z',
  last_used_at: 1_720_000_000,
}
const key = { credential_id: id('key'), public_key: ed.export({ format: 'pem', type: 'spki' }), backup_eligible: false }

const password_hash = await bcryptHash('correct horse battery')

function accounts() {
  return [
    { email: 'ada@example.com', username: 'ada', password_hash, totp: secret },
    {
      email: 'bea@example.com',
      username: 'bea',
      password_hash,
      totp: [uri, { secret: 'jbsw y3dp-ehpk3pxp', name: 'Old phone' }],
    },
    {
      ...{ id: 9, email: 'cy@example.com', username: 'cy', password_hash, webauthn_user_handle: handle },
      passkeys: [
        passkey,
        { ...key, rp_id: 'other.example' },
        { ...passkey, credential_id: id('laptop'), public_key: spki(rsa).toString('base64'), kind: 'security_key' },
      ],
    },
    { email: 'dee@example.com', username: 'dee', password_hash },
  ]
}

const jsonl = (...rows: unknown[]): string => {
  const path = join(scratchFolder('factors'), 'users.jsonl')
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
  return path
}

describeEachDialect('factors of another service', (dialect: Dialect) => {
  async function setUp() {
    const { url, dispose } = await dialect.databaseUrl()
    await migrated(url)
    const app = await createTestApp({ databaseUrl: url })
    const { clock } = app
    return {
      app,
      import: (from: string, ...flags: string[]) =>
        keyward(['import', '--from', from, ...flags], { databaseUrl: url, clock }),
      async [Symbol.asyncDispose]() {
        await app.close()
        await dispose()
      },
    }
  }

  const secretsOf = async (app: TestApp) =>
    (await app.rows.totpFactors.all()).map(({ id, name, secret: sealed, userId, confirmedAt }) => ({
      userId,
      name,
      isConfirmed: confirmedAt !== null,
      secret: Buffer.from(unseal([testSecret], `totp_factors.secret:${id}`, sealed)!).toString('hex'),
    }))

  test('authenticator apps, passkeys and security keys come along: sealed, confirmed, and counted in a rehearsal', async () => {
    await using target = await setUp()
    const { app } = target
    const file = jsonl(...accounts())
    const rehearsed = await target.import(file, '--dry-run')
    expect([rehearsed.code, rehearsed.err]).toEqual([0, ''])
    expect(rehearsed.out).toContain(
      '  6 second factors: the users make new recovery codes at http://localhost:8000/account/security\n',
    )
    expect(await app.rows.totpFactors.count()).toBe(0)

    const { code, out, err } = await target.import(file)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Imported 4 accounts into ')
    expect(out).toContain('  6 second factors: ')
    expect(out).not.toContain('not imported')
    const idOf = async (name: string) => (await app.admin.userNamed(name)).id
    const [ada, bea] = [await idOf('ada'), await idOf('bea')]
    const long = Buffer.from('48656c6c6f21deadbeef'.repeat(2), 'hex').toString('hex')
    expect(await secretsOf(app)).toEqual([
      { userId: ada, name: 'Authenticator app', isConfirmed: true, secret: long },
      { userId: bea, name: 'Authenticator app', isConfirmed: true, secret: long },
      { userId: bea, name: 'Old phone', isConfirmed: true, secret: '48656c6c6f21deadbeef' },
    ])
    const keys = await app.rows.passkeys.all()
    expect(keys.map(({ userId, rpId, kind, alg, signCount }) => [userId, rpId, kind, alg, signCount])).toEqual([
      [9, 'localhost', 'passkey', -7, 7],
      [9, 'other.example', 'security_key', -8, 0],
      [9, 'localhost', 'security_key', -257, 7],
    ])
    expect(keys[0]).toMatchObject({
      credentialId: passkey.credential_id,
      isUvInitialized: true,
      isBackupEligible: true,
      isBackedUp: true,
      aaguid: passkey.aaguid.toLowerCase(),
      transports: '["internal","hybrid"]',
      name: 'Phone',
      createdAt: Date.UTC(2024, 1, 3, 4, 5, 6),
      lastUsedAt: 1_720_000_000_000,
    })
    for (const [at, original] of [ec, ed, rsa].entries()) {
      const stored = importCoseKey(Buffer.from(keys[at]!.publicKey, 'base64url')).key
      expect(spki(stored)).toEqual(spki(original))
    }
    expect(await app.rows.factorAccounts.one({ userId: 9 })).toMatchObject({ webauthnHandle: handle })
    expect((await app.rows.auditEvents.one({ event: 'users.imported' })).details).toContain('"factors":6')
  })

  test('a second import gives nobody a factor back, and one without factors leaves them out', async () => {
    await using target = await setUp()
    const { app } = target
    const [ada, , cy] = accounts()
    const without = await target.import(jsonl(ada), '--without-factors')
    expect(without.out).toContain('Columns not imported: totp\n')
    expect(await app.rows.totpFactors.count()).toBe(0)
    const again = await target.import(jsonl(ada, cy))
    expect(again.out).toContain('1 already in Keyward')
    expect(await app.rows.totpFactors.count()).toBe(0)
    expect(await app.rows.passkeys.count()).toBe(3)
    // The same credentials for another account: Keyward has them, and their handle, already.
    const twin = { ...cy, id: 10, email: 'twin@example.com', username: 'twin' }
    const taken = await target.import(jsonl(twin))
    expect([taken.code, taken.out]).toEqual([0, expect.stringContaining('3 second factors not imported, because')])
    expect(await app.rows.passkeys.count()).toBe(3)
  })

  test('an export lists the factors of each user, and no secret', async () => {
    await using target = await setUp()
    const { app } = target
    await target.import(jsonl(...accounts()))
    const exported = await keyward(
      ['export', '--with-password-hashes', '--to', join(scratchFolder('export'), 'x.jsonl')],
      {
        databaseUrl: app.databaseUrl,
        clock: app.clock,
      },
    )
    expect(exported.code).toBe(0)
    const printed = await keyward(['export'], { databaseUrl: app.databaseUrl, clock: app.clock })
    const users = printed.out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as { username: string; second_factors: Record<string, unknown>[] })
    const of = (name: string) => users.find(({ username }) => username === name)!.second_factors
    expect(of('dee')).toEqual([])
    expect(of('bea').map(({ type, name }) => [type, name])).toEqual([
      ['totp', 'Authenticator app'],
      ['totp', 'Old phone'],
    ])
    expect(of('cy')[0]).toEqual({
      type: 'passkey',
      name: 'Phone',
      created_at: '2024-02-03T04:05:06.000Z',
      last_used_at: '2024-07-03T09:46:40.000Z',
    })
    for (const hidden of [passkey.credential_id, handle, 'v1.']) expect(printed.out).not.toContain(hidden)
  })

  test('a factor that cannot be taken over keeps its account out, and its sentence has no secret', async () => {
    await using target = await setUp()
    const [ada] = accounts()
    const named = (at: number) => ({ ...ada, email: `u${at}@example.com`, username: `u${at}`, totp: undefined })
    const { credential_id: _, ...nameless } = passkey
    const cases: [object, RegExp][] = [
      [{ totp: 'JBSW1' }, /the secret of the authenticator app is not base32 of 10 to 64 bytes/],
      [{ totp: 'JBSWY3DP' }, /not base32/],
      [{ totp: `otpauth://hotp/x?secret=${secret}` }, /is not one of TOTP/],
      [{ totp: `${uri}&algorithm=SHA256` }, /other codes than those of SHA-1/],
      [{ totp: `${uri}&digits=8` }, /other codes/],
      [{ totp: [`${uri}&period=60`] }, /other codes/],
      [{ totp: '[{"secret":' }, /a list of factors is not JSON/],
      [{ totp: [7] }, /a factor is neither a text nor an object/],
      [{ totp: Array.from({ length: 51 }, () => secret) }, /totp has more than 50 entries/],
      [{ passkeys: [nameless] }, /the credential_id of a passkey/],
      [{ passkeys: [{ ...passkey, credential_id: 'a+b' }] }, /the credential_id of a passkey/],
      [
        { passkeys: [{ ...key, public_key: spki(generateKeyPairSync('x25519').publicKey).toString('base64') }] },
        /the public_key/,
      ],
      [{ passkeys: [{ ...key, public_key: 'AAAA' }] }, /the public_key/],
      [{ passkeys: [{ ...key, sign_count: -1 }] }, /the sign_count/],
      [{ passkeys: [{ ...key, rp_id: 'https://x' }] }, /the rp_id/],
      [{ passkeys: [{ ...key, backup_eligible: undefined }] }, /needs backup_eligible/],
      [{ passkeys: [{ ...key, backed_up: true }] }, /backed_up but not backup_eligible/],
      [{ passkeys: [{ ...passkey, kind: 'passkey' }] }, /needs webauthn_user_handle/],
      [{ passkeys: [{ ...key, kind: 'phone' }] }, /neither passkey nor security_key/],
      [{ passkeys: [key], webauthn_user_handle: '?' }, /webauthn_user_handle is not base64url/],
    ]
    const { code, out, err } = await target.import(
      jsonl(...cases.map(([more], at) => ({ ...named(at), ...more })), named(99)),
    )
    expect([code, out]).toEqual([1, ''])
    const lines = err.split('\n')
    for (const [at, [sent, reason]] of cases.entries()) {
      expect([sent, lines[at]]).toEqual([sent, expect.stringMatching(reason)])
      expect(lines[at]).toStartWith(`line ${at + 1}, "u${at}": `)
    }
    expect(err).not.toContain(secret)
    expect(err).not.toContain(passkey.credential_id)
  })

  test('a CSV file has the same columns', async () => {
    await using target = await setUp()
    const path = join(scratchFolder('factors'), 'users.csv')
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    writeFileSync(
      path,
      `email,username,totp,passkeys\nada@example.com,ada,${uri},\nbea@example.com,bea,,${quoted(JSON.stringify([key]))}\n`,
    )
    expect(await target.import(path)).toMatchObject({ code: 0, err: '' })
    expect(await target.app.rows.totpFactors.count()).toBe(1)
    expect(await target.app.rows.passkeys.one()).toMatchObject({ kind: 'security_key', name: 'Security key' })
  })
})
