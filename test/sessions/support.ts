import { expect } from 'bun:test'
import type { Purpose } from '../../src/features/secrets/secrets.ts'
import { unseal } from '../../src/lib/seal.ts'
import type { SignedUp, TestApp } from '../support/app.ts'

/** The answer of `/token` and `/token/refresh`. */
export interface Pair {
  access_token: string
  refresh_token: string
  device_token?: string
}

export const refresh = (app: TestApp, token: string): Promise<Response> =>
  app.request('POST', '/token/refresh', { json: { refresh_token: token } })

export async function refreshed(app: TestApp, token: string): Promise<Pair> {
  const response = await refresh(app, token)
  expect(response.status).toBe(200)
  return (await response.json()) as Pair
}

export const me = async (app: TestApp, token: string): Promise<number> =>
  (await app.request('GET', '/users/me', { token })).status

export const login = (app: TestApp, { username, password }: Pick<SignedUp, 'username' | 'password'>, more = {}) =>
  app.request('POST', '/token', { form: { username, password, ...more } })

export async function loggedIn(
  app: TestApp,
  user: Pick<SignedUp, 'username' | 'password'>,
  more: Record<string, string> = {},
): Promise<Required<Pair>> {
  const response = await login(app, user, more)
  expect(response.status).toBe(200)
  return (await response.json()) as Required<Pair>
}

/** The audit rows of one event, in order. */
export async function audit(app: TestApp, event: string) {
  const rows = await app.rows.auditEvents.all()
  return rows.filter((row) => row.event === event)
}

/** The decoded parts of a token, not checked. */
export function decode(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const [header, payload] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>)
  return { header: header!, payload: payload! }
}

export const sessionIdOf = (pair: Pair): string => decode(pair.access_token).payload.sid as string

/** The generation in a refresh token: the four bytes after its version and session id. */
export const generationOf = (token: string): number => Buffer.from(token.slice(4), 'base64url').readUInt32BE(17)

/** Waits for so many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise((resolve) => setImmediate(resolve))
}

/** The current key of MACs of one purpose, as one opens it who has the database and SECRET_KEY. */
export async function dataKey(app: TestApp, purpose: Purpose): Promise<Uint8Array> {
  const { id, sealedKey } = await app.rows.dataKeys.one({ currentSlot: purpose })
  return unseal([app.config.SECRET_KEY], `data_keys.sealed_key:${purpose}:${id}`, sealedKey)!
}

/** An API key of an administrator, for introspection. */
export async function introspectionKey(app: TestApp, username = 'operator'): Promise<string> {
  const { id } = await app.signUp(username)
  await app.admin.giveRole(id, 'admin')
  return (await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })).text
}
