import { createPublicKey, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeAt, stepAt } from '../../src/features/factors/totp.ts'
import type { RequestOptionsJson } from '../../src/features/factors/webauthn/options.ts'
import { toBase32 } from '../../src/lib/encoding.ts'
import { type SoftAuthenticator, softAuthenticator } from '../support/authenticator.ts'
import { binaryPath } from '../support/binary.ts'
import { scratchFolder } from '../support/scratch.ts'
import { password, rawRequest } from './requests.ts'
import { keywardSettings, type Server, startKeyward } from './servers.ts'

/** A user with an authenticator app or a passkey, who is imported. */
export interface FactorUser {
  username: string
  secret: Uint8Array
  device: SoftAuthenticator
}

const RP_ID = 'localhost'
const ORIGIN = 'http://localhost:8000'
const JSON_BODY = { 'content-type': 'application/json' }

/**
 * Starts Keyward with users that an import gave their factors.
 * @param kind `none` for users without a factor
 */
export async function startWith(
  kind: 'totp' | 'passkey' | 'none',
  usernames: readonly string[],
  settings: Record<string, string> = {},
): Promise<Server & { users: FactorUser[] }> {
  const cost = Number(settings.BCRYPT_COST ?? 10)
  const passwordHash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost })
  const users = usernames.map((username) => ({
    username,
    secret: randomBytes(20),
    device: softAuthenticator({ origin: ORIGIN, seed: username }),
  }))
  const lines = users.map((user) =>
    JSON.stringify({
      email: `${user.username}@example.com`,
      username: user.username,
      password_hash: passwordHash,
      password_scheme: 'bun-bcrypt',
      ...(kind === 'totp' && { totp: toBase32(user.secret) }),
      ...(kind === 'passkey' && passkeyOf(user)),
    }),
  )
  const file = join(scratchFolder('bench-users'), 'users.jsonl')
  writeFileSync(file, lines.join('\n'))
  const { DATABASE_URL = '' } = keywardSettings(settings)
  const own = { ...settings, DATABASE_URL }
  const dev = cost < 10 ? ['--dev'] : []
  for (const words of [
    ['migrate', 'up'],
    ['import', '--from', file],
  ]) {
    const env = { PATH: process.env.PATH ?? '', ...keywardSettings(own) }
    const { exitCode, stderr } = Bun.spawnSync([await binaryPath(), ...words, ...dev], {
      env,
      cwd: scratchFolder('cwd'),
    })
    if (exitCode !== 0) throw new Error(`keyward ${words.join(' ')}: ${stderr.toString()}`)
  }
  return { ...(await startKeyward(own)), users }
}

/** Lets the device make a passkey, and writes it as a line of an import. */
function passkeyOf({ username, device }: FactorUser) {
  const handle = Buffer.from(username.padEnd(32, '.')).toString('base64url')
  device.create({
    challenge: randomBytes(32).toString('base64url'),
    rp: { id: RP_ID, name: 'Keyward' },
    user: { id: handle, name: username, displayName: username },
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    timeout: 300_000,
    attestation: 'none',
    excludeCredentials: [],
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    extensions: { credProps: true },
  } as Parameters<SoftAuthenticator['create']>[0])
  const [{ id, privateKey }] = device.credentials as [SoftAuthenticator['credentials'][0]]
  const key = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    webauthn_user_handle: handle,
    passkeys: [
      {
        credential_id: Buffer.from(id).toString('base64url'),
        public_key: key.toString('base64url'),
        user_verified: true,
        backup_eligible: true,
        backed_up: true,
      },
    ],
  }
}

/** Sign-ins with passkeys, whose challenges are fetched before. Each works once. */
export async function passkeySignIns(
  { port, users }: Server & { users: FactorUser[] },
  count: number,
): Promise<string[]> {
  return inParts(count, async (at) => {
    const { device } = users[at % users.length]!
    const { options } = await answered<{ options: RequestOptionsJson }>(port, '/passkeys/options', {})
    return rawRequest('POST', '/token/passkey', JSON_BODY, JSON.stringify({ credential: device.get(options) }))
  })
}

/** The answers with codes to logins that wait for one: one for each user, for this time step. */
export async function totpAnswers({ port, users }: Server & { users: FactorUser[] }): Promise<string[]> {
  const tokens = await inParts(users.length, async (at) => {
    const { username } = users[at]!
    const body = new URLSearchParams({ username, password })
    const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', body })
    const { mfa_token: token } = (await answer.json()) as { mfa_token?: string }
    if (answer.status !== 403 || token === undefined) throw new Error(`/token: ${answer.status}`)
    return token
  })
  await beginningOfStep()
  const step = stepAt(Date.now())
  return users.map(({ secret }, at) =>
    rawRequest('POST', '/token/mfa', JSON_BODY, JSON.stringify({ mfa_token: tokens[at], otp: codeAt(secret, step) })),
  )
}

/** Waits until a step has just begun: its codes are then good for nearly a minute. */
async function beginningOfStep(): Promise<void> {
  const rest = 30_000 - (Date.now() % 30_000)
  // A timer may fire a little early, and the code of the step before may have been used.
  if (rest < 25_000) await Bun.sleep(rest + 100)
}

async function answered<T>(port: number, path: string, body: object): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: JSON_BODY,
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

async function inParts<T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < count) {
    const first = made.length
    const part = Array.from({ length: Math.min(16, count - first) }, (_, at) => make(first + at))
    made.push(...(await Promise.all(part)))
  }
  return made
}
