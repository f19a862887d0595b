import { expect } from 'bun:test'
import { Secret, TOTP } from 'otpauth'
import { answered } from '../administration/support.ts'
import type { Pair } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import type { SoftAuthenticator, Wrong } from '../support/authenticator.ts'

export interface Pending {
  id: string
  secret: string
  uri: string
  qr_svg: string
  expires_in: number
}

export interface FactorView {
  id: string
  type: string
  name: string
  created_at: string
  last_used_at: string | null
  usable: boolean
  synced?: boolean
}

export interface FactorList {
  factors: FactorView[]
  recovery_codes: { remaining: number; created_at: string | null }
  required: boolean
}

export type Confirmed = Pair & { factor: FactorView; recovery_codes?: string[] }

/** The code that an authenticator app shows, as another implementation computes it. */
export const codeOf = (app: TestApp, secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: app.clock.now() + steps * 30_000 })

/** A code of six digits that none of the three steps around now has. */
export function wrongCode(app: TestApp, secret: string): string {
  const right = [-1, 0, 1].map((steps) => codeOf(app, secret, steps))
  return ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code))!
}

export const begin = (app: TestApp, token: string, json: object = {}): Promise<Response> =>
  app.request('POST', '/users/me/factors/totp', { token, json })

export const confirm = (app: TestApp, token: string, id: string, json: object): Promise<Response> =>
  app.request('POST', `/users/me/factors/totp/${id}/confirm`, { token, json })

export const listed = (app: TestApp, token: string): Promise<FactorList> =>
  answered(app.request('GET', '/users/me/factors', { token }))

export const remove = (app: TestApp, token: string, id: string, json: object = {}): Promise<Response> =>
  app.request('DELETE', `/users/me/factors/${id}`, { token, json })

export const renewCodes = (app: TestApp, token: string, json: object = {}): Promise<Response> =>
  app.request('POST', '/users/me/recovery-codes', { token, json })

/** A registration that passes the check of the members, and is malformed. */
export const madePasskey = {
  challenge_id: 'none',
  credential: {
    id: 'AA',
    rawId: 'AA',
    type: 'public-key',
    response: { clientDataJSON: '', attestationObject: '', transports: [] },
  },
}

type CreationOptions = Parameters<SoftAuthenticator['create']>[0]

/** Asks for the options of a registration. */
export const passkeyOptions = (app: TestApp, token: string, kind = 'passkey') =>
  answered<{ challenge_id: string; expires_in: number; options: CreationOptions }>(
    app.request('POST', '/users/me/factors/webauthn/options', { token, json: { kind } }),
  )

export const sendPasskey = (app: TestApp, token: string, json: object): Promise<Response> =>
  app.request('POST', '/users/me/factors/webauthn', { token, json })

/** Registers an authenticator in software as a passkey or security key. */
export async function enrolPasskey(
  app: TestApp,
  token: string,
  authenticator: SoftAuthenticator,
  { kind, name, wrong }: { kind?: string; name?: string; wrong?: Wrong } = {},
) {
  const { challenge_id, options } = await passkeyOptions(app, token, kind)
  const credential = authenticator.create(options, wrong)
  const added = await answered<Confirmed>(sendPasskey(app, token, { challenge_id, credential, name }), 201)
  return { ...added, token: added.access_token, options }
}

/** Adds an authenticator app, and confirms it with its present code. */
export async function enrol(app: TestApp, token: string, name = 'Phone') {
  const pending = await answered<Pending>(begin(app, token, { name }), 201)
  const confirmed = await answered<Confirmed>(confirm(app, token, pending.id, { code: codeOf(app, pending.secret) }))
  expect(confirmed.factor).toMatchObject({ id: pending.id, type: 'totp', name, usable: true })
  return { ...pending, ...confirmed, token: confirmed.access_token }
}
