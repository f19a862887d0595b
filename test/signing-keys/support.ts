import type { TestApp } from '../support/app.ts'

/** The header of a token, not verified. */
export const headerOf = (token: string): { alg: string; kid: string; typ: string } =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())

/** The kids in the served key set. */
export async function publishedKids(app: TestApp): Promise<string[]> {
  const response = await app.request('GET', '/.well-known/jwks.json')
  const { keys } = (await response.json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

/** The status of `GET /users/me` with a token: 200 while it is valid. */
export const statusOf = async (app: TestApp, token: string): Promise<number> =>
  (await app.request('GET', '/users/me', { token })).status

/** Logs in again and returns the access token. */
export async function logIn(app: TestApp, username = 'ada'): Promise<string> {
  const form = { username, password: 'correct horse battery' }
  const response = await app.request('POST', '/token', { form })
  return ((await response.json()) as { access_token: string }).access_token
}
