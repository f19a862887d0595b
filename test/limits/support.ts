import { createTestApp, type TestApp, type TestAppOptions } from '../support/app.ts'

export const password = 'correct horse battery'

/** Options of an app with its limits on. */
export const limited = (options: TestAppOptions = {}): TestAppOptions => ({
  ...options,
  env: { RATE_LIMIT: 'on', ...options.env },
})

/** An app with its limits on. */
export const limitedApp = (options: TestAppOptions = {}): Promise<TestApp> => createTestApp(limited(options))

export interface Guess {
  username: string
  password?: string
  /** The client's address. */
  peer?: string
  device?: string
  path?: string
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  /** Seconds. */
  retryAfter: number
  /** The exceeded limit, as `RateLimit` names it. */
  limit: string | undefined
  deviceToken: string | undefined
}

/** A login, with a wrong password by default. */
export async function guess(app: TestApp, { username, device, path = '/token', ...rest }: Guess): Promise<Answer> {
  const form = { username, password: rest.password ?? 'wrong', ...(device !== undefined && { device_token: device }) }
  const response = await app.request('POST', path, { form, peer: rest.peer, headers: rest.headers })
  const body = (await response.json()) as { device_token?: string }
  return {
    status: response.status,
    retryAfter: Number(response.headers.get('retry-after') ?? 0),
    limit: /^"([a-z_.]+)"/.exec(response.headers.get('ratelimit') ?? '')?.[1],
    deviceToken: body.device_token,
  }
}

/** The statuses of `count` guesses, one after the other. */
export async function guesses(app: TestApp, count: number, one: Guess): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) statuses.push((await guess(app, one)).status)
  return statuses
}

export const times = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value)

/** The number of times each value occurs. */
export function tally<T extends string | number>(values: readonly T[]): Record<T, number> {
  const counts = {} as Record<T, number>
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** The audit log, oldest first. */
export async function auditOf(app: TestApp): Promise<Record<string, unknown>[]> {
  const rows = await app.rows.auditEvents.all()
  return rows.map((row) => ({ ...row, details: row.details === null ? null : JSON.parse(row.details) }))
}

/** Uses up the guesses that strangers have for an account, with both of its names and from eight networks. */
export async function attack(app: TestApp, username = 'ada'): Promise<void> {
  for (const name of [username, `${username}@example.com`]) {
    for (let i = 0; i < 4; i++) await guesses(app, 3, { username: name, peer: `10.1.${i}.1` })
    const { status, limit } = await guess(app, { username: name, peer: '10.2.0.1' })
    if (status !== 429 || limit !== 'login.name') throw new Error(`not spent: ${status} ${limit}`)
  }
}
