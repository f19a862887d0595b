/** A whole HTTP/1.1 request in base64, as the load generator expects it. */
export function rawRequest(method: string, path: string, headers: Record<string, string> = {}, body = ''): string {
  const all = {
    host: 'localhost',
    ...headers,
    ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`).toString('base64')
}

/** The password of every account here. */
export const password = 'correct horse battery'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_BODY = { 'content-type': 'application/json' }

export const readSelf = (token: string): string =>
  rawRequest('GET', '/users/me', { authorization: `Bearer ${token}`, accept: 'application/json' })

/** @param options.from the client's address, as a trusted proxy would report it */
export const logIn = (username: string, options: { from?: string; password?: string } = {}): string =>
  rawRequest(
    'POST',
    '/token',
    options.from === undefined ? FORM : { ...FORM, 'x-forwarded-for': options.from },
    new URLSearchParams({ username, password: options.password ?? password }).toString(),
  )

export const signUp = (username: string): string =>
  rawRequest('POST', '/register', JSON_BODY, JSON.stringify(account(username)))

export const refresh = (refreshToken: string): string =>
  rawRequest('POST', '/token/refresh', JSON_BODY, JSON.stringify({ refresh_token: refreshToken }))

export interface Tokens {
  access_token: string
  refresh_token: string
}

/** Registers users and logs each in, only through documented routes. */
export async function signUpAll(port: number, usernames: readonly string[]): Promise<Tokens[]> {
  await register(port, usernames)
  return logInAll(port, usernames)
}

export const register = (port: number, usernames: readonly string[]): Promise<unknown> =>
  fewAtOnce(usernames, (username) =>
    ask(port, '/register', { headers: JSON_BODY, body: JSON.stringify(account(username)) }),
  )

export const logInAll = (port: number, usernames: readonly string[]): Promise<Tokens[]> =>
  fewAtOnce(usernames, async (username) => {
    const answer = await ask(port, '/token', { body: new URLSearchParams({ username, password }) })
    return (await answer.json()) as Tokens
  })

const account = (username: string) => ({ email: `${username}@example.com`, username, password })

async function ask(port: number, path: string, options: RequestInit): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...options, method: 'POST' })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer
}

/** More in parallel would wait for a hash, and might be refused for that. */
async function fewAtOnce<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const results: U[] = []
  for (let at = 0; at < items.length; at += 8) results.push(...(await Promise.all(items.slice(at, at + 8).map(work))))
  return results
}

export const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`)
