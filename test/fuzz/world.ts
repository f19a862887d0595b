import { HOUR } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'

/** The values that a request can name with `{{…}}`. */
export const liveValues = [
  'username',
  'email',
  'password',
  'access_token',
  'refresh_token',
  'device_token',
  'session_id',
  'admin_token',
  'api_key',
  'metrics_token',
  'expired_token',
  'ended_token',
  'fresh',
] as const

export type LiveValue = (typeof liveValues)[number]

export interface World {
  values: Record<LiveValue, string>
  /** Replaces `{{name}}`; `{{name^n}}` changed at n, `{{name<n}}` is cut at n, `{{name>n}}` extended. */
  fill(text: string): string
  /** Restores what a request may have changed: the user itself, and the passwords and sessions of both users. */
  renew(): Promise<void>
  /** The passwords and tokens in use, which no answer may repeat. Only a login may repeat its device token. */
  secrets(): string[]
  /** The values that a request may use up. */
  spendable(): string[]
}

const secretNames = [
  'password',
  'access_token',
  'refresh_token',
  'admin_token',
  'api_key',
  'metrics_token',
  'expired_token',
  'ended_token',
] as const

/** With spaces, so that no username or address can contain it. */
const password = 'zebra crossing at noon'
export const metricsToken = 'a-token-for-the-metrics'

/** A user, an administrator, an API key, and tokens of every kind, expired ones too. */
export async function createWorld(app: TestApp): Promise<World> {
  const logIn = async (username: string): Promise<Record<string, string> | undefined> => {
    for (;;) {
      const answer = await app.request('POST', '/token', { form: { username, password }, peer: '198.51.100.7' })
      if (answer.status === 200) return (await answer.json()) as Record<string, string>
      if (answer.status !== 429) return undefined
      // The guesses of the requests count against the account.
      await app.passTime(HOUR)
    }
  }
  /** Sets password and name back, or makes the user again after a request has deleted it. */
  const logInAfresh = async (user: {
    id: number
    username: string
    email: string
  }): Promise<Record<string, string>> => {
    const { username, email } = user
    if ((await app.rows.users.count({ id: user.id })) > 0) {
      await app.rows.users.change({ id: user.id }, { username, usernameKey: username })
      await app.admin.setPassword(user.id, password)
    } else {
      await app.admin.freeName(username)
      user.id = (await app.admin.createUser({ username, email, password })).id
    }
    return (await logIn(username))!
  }

  const old = await app.admin.createUser({ email: 'old@example.com', username: 'old-hand', password })
  const expired = await logInAfresh(old)
  await app.passTime(HOUR)
  const ended = await logInAfresh(old)
  await app.request('POST', '/logout', { token: ended.access_token! })
  const user = await app.admin.createUser({ email: 'ada@example.com', username: 'ada', password })
  const admin = await app.admin.createUser({ email: 'boss@example.com', username: 'boss', password, admin: true })
  const key = await app.admin.createApiKey({ owner: admin.id, scopes: ['tokens:introspect'] })

  let fresh = 0
  const values: World['values'] = {
    username: user.username,
    email: user.email,
    password,
    access_token: '',
    refresh_token: '',
    device_token: '',
    session_id: '',
    admin_token: '',
    api_key: key.text,
    metrics_token: metricsToken,
    expired_token: expired.access_token!,
    ended_token: ended.access_token!,
    fresh: '',
  }

  const world: World = {
    values,
    fill: (text) =>
      text.replace(/\{\{([a-z_]+)(?:([\^<>])(\d+))?\}\}/g, (whole, name: LiveValue, how?: string, at?: string) => {
        const value = name === 'fresh' ? `new-${++fresh}` : values[name]
        return value === undefined ? whole : how === undefined ? value : mangle(value, how, Number(at))
      }),
    async renew() {
      const grant = (await logIn(user.username)) ?? (await logInAfresh(user))
      Object.assign(values, grant, { session_id: claimsOf(grant.access_token!).sid })
      const alive = await app.request('GET', '/users/me', { token: values.admin_token })
      if (alive.status !== 200)
        values.admin_token = ((await logIn(admin.username)) ?? (await logInAfresh(admin))).access_token!
    },
    spendable: () => [values.access_token, values.refresh_token, values.admin_token],
    secrets: () => secretNames.map((name) => values[name]),
  }
  await world.renew()
  return world
}

const claimsOf = (token: string): Record<string, string> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

function mangle(value: string, how: string, at: number): string {
  const place = at % value.length
  if (how === '<') return value.slice(0, place)
  if (how === '>') return value + 'A'.repeat(1 + (at % 5))
  return `${value.slice(0, place)}${value[place] === 'A' ? 'B' : 'A'}${value.slice(place + 1)}`
}
