import { expect } from 'bun:test'
import type { RequestOptions } from './app.ts'
import type { RunningBinary } from './binary.ts'
import { problemTypeOf } from './refusal.ts'

export type Sent = readonly [method: string, path: string, options?: RequestOptions]
export type Grant = Record<'access_token' | 'refresh_token' | 'device_token', string>

/** Requests of one account, for tests in which some of them are refused. */
export function accountOf(username: string, password: string) {
  const json = { email: `${username}@example.com`, username, password }
  return {
    register: ['POST', '/register', { json }] as Sent,
    logIn: ['POST', '/token', { form: { username, password } }] as Sent,
    changePassword: (token: string, to: string): Sent => [
      'PUT',
      '/users/me/password',
      { token, json: { current_password: password, new_password: to } },
    ],
  }
}

export const refresh = (refresh_token: string): Sent => ['POST', '/token/refresh', { json: { refresh_token } }]
export const me = (token: string): Sent => ['GET', '/users/me', { token }]
export const logOut = (token: string): Sent => ['POST', '/logout', { token }]
export const revoke = (token: string): Sent => ['POST', '/revoke', { form: { token } }]
export const livez: Sent = ['GET', '/livez']
export const readyz: Sent = ['GET', '/readyz']

export async function statusOf(keyward: RunningBinary, [method, path, options]: Sent): Promise<number> {
  const response = await keyward.request(method, path, options)
  await response.body?.cancel()
  return response.status
}

export async function grant(keyward: RunningBinary, [method, path, options]: Sent): Promise<Grant> {
  const response = await keyward.request(method, path, options)
  expect(response.status).toBe(200)
  return (await response.json()) as Grant
}

/** Checks that requests which need the missing database answer 503: not 401, not 409, not 500. */
export async function expectRefused(
  keyward: RunningBinary,
  code: 'database_unavailable' | 'database_busy',
  [method, path, options]: Sent,
): Promise<void> {
  const response = await keyward.request(method, path, options)
  const type = response.headers.get('content-type')
  expect([method, path, response.status, type]).toEqual([method, path, 503, problemTypeOf(path)])
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await response.json()).toMatchObject({ status: 503, code })
}

export async function expectNotReady(keyward: RunningBinary, detail: string): Promise<void> {
  let response = await keyward.request('GET', '/readyz')
  // The result of a check is shared for one second, so the first answer may be from before the outage.
  for (; response.status === 200; response = await keyward.request('GET', '/readyz')) await Bun.sleep(100)
  const problem = (await response.json()) as Record<string, unknown>
  expect([response.status, problem.code, problem.detail]).toEqual([503, 'not_ready', detail])
}

/** Waits until `/readyz` answers 200. A refusal for lack of space counts for 5 s. */
export async function becomesReady(keyward: RunningBinary): Promise<void> {
  while ((await statusOf(keyward, readyz)) !== 200) await Bun.sleep(100)
}

/** Polls `/livez` until `stop`, which returns the number of answers; fails on a refusal or a silence of 2 s. */
export function pollLivez({ url }: RunningBinary): { stop(): Promise<number> } {
  let going = true
  let asked = 0
  const watching = (async () => {
    for (; going; await Bun.sleep(50)) {
      const { status } = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(2_000) })
      expect(status).toBe(200)
      asked++
    }
  })()
  // Only `stop` awaits it, which may come later than the failure.
  watching.catch(() => {})
  return {
    async stop() {
      going = false
      await watching
      return asked
    },
  }
}
