import { expect } from 'bun:test'
import type { RequestOptions } from '../support/app.ts'

/** One of several processes of a database: an app in process, or a running executable. */
export interface Replica {
  request(method: string, path: string, options?: RequestOptions): Promise<Response>
}

/** What one user holds all the time. */
export interface Held {
  username: string
  password: string
  /** The refresh token of a session that began before everything. */
  refreshToken: string
  deviceToken: string
  apiKey: string
}

export const ada = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }

interface Pair {
  access_token: string
  refresh_token: string
  device_token: string
}

export async function logIn(replica: Replica, deviceToken?: string): Promise<Pair> {
  const { username, password } = ada
  const form = { username, password, ...(deviceToken !== undefined && { device_token: deviceToken }) }
  return answered<Pair>(await replica.request('POST', '/token', { form }))
}

/**
 * Uses at each replica what the other one made: refresh and device tokens, an API key, a revocation.
 * @returns what the user holds afterwards
 */
export async function expectNothingLost(replicas: readonly [Replica, Replica], held: Held): Promise<Held> {
  let { refreshToken, deviceToken } = held
  for (const [one, other] of [replicas, [replicas[1], replicas[0]] as const]) {
    for (const replica of [one, other]) refreshToken = (await refresh(replica, refreshToken)).refresh_token

    const pair = await logIn(one, deviceToken)
    expect(deviceOf(pair.device_token)).toBe(deviceOf(deviceToken))
    deviceToken = pair.device_token

    for (const replica of [one, other]) expect(await introspect(replica, held.apiKey, pair.access_token)).toBe(true)

    // A revocation that answers 200 has taken effect.
    const revoked = await other.request('POST', '/revoke', { form: { token: pair.refresh_token } })
    expect(revoked.status).toBe(200)
    for (const replica of [one, other]) {
      expect((await replica.request('GET', '/users/me', { token: pair.access_token })).status).toBe(401)
      expect(await introspect(replica, held.apiKey, pair.access_token)).toBe(false)
    }
  }
  return { ...held, refreshToken, deviceToken }
}

export const refresh = async (replica: Replica, token: string): Promise<Pair> =>
  answered<Pair>(await replica.request('POST', '/token/refresh', { json: { refresh_token: token } }))

export async function introspect(replica: Replica, apiKey: string, token: string): Promise<boolean> {
  const response = await replica.request('POST', '/introspect', { token: apiKey, form: { token } })
  return (await answered<{ active: boolean }>(response)).active
}

export const deviceOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { jti: string }).jti

async function answered<T>(response: Response): Promise<T> {
  expect(response.status).toBe(200)
  return (await response.json()) as T
}
