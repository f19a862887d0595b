import { HOUR, MINUTE } from '../../src/lib/clock.ts'
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
  'user_id',
  'admin_id',
  'deputy_id',
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
  /** Restores what a request may have changed: the users themselves, their roles, passwords, sessions and API key. */
  renew(): Promise<void>
  /** True while there is an active administrator. */
  hasAdmin(): Promise<boolean>
  /** The passwords and tokens in use, which no answer may repeat. Only a login may repeat its device token. */
  secrets(): string[]
  /** The values that a request may use up. */
  spendable(): string[]
}

interface Person {
  id: number
  username: string
  email: string
  isAdmin?: boolean
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

/** A user, two administrators, an API key, and tokens of every kind, expired ones too. */
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
  /** Sets state, password and name back, or makes the user again after a request has deleted it. */
  const restore = async (user: Person): Promise<void> => {
    const { username, email, isAdmin = false } = user
    if ((await app.rows.users.count({ id: user.id })) > 0) {
      await app.rows.users.change({ id: user.id }, { username, usernameKey: username, isActive: true })
      await app.admin.setPassword(user.id, password)
      if (isAdmin) await app.admin.giveRole(user.id, 'admin')
    } else {
      await app.admin.freeName(username)
      user.id = (await app.admin.createUser({ username, email, password, admin: isAdmin })).id
    }
  }
  const logInAfresh = async (user: Person): Promise<Record<string, string>> => {
    await restore(user)
    return (await logIn(user.username))!
  }
  const make = async (username: string, email: string, isAdmin = false): Promise<Person> => {
    const { id } = await app.admin.createUser({ email, username, password, admin: isAdmin })
    return { id, username, email, isAdmin }
  }
  const isAdmin = async ({ id }: Person): Promise<boolean> =>
    (await app.rows.userRoles.count({ userId: id, role: 'admin' })) > 0 &&
    (await app.rows.users.count({ id, isActive: true })) > 0

  const old = await make('old-hand', 'old@example.com')
  const expired = await logInAfresh(old)
  await app.passTime(HOUR)
  const ended = await logInAfresh(old)
  await app.request('POST', '/logout', { token: ended.access_token! })
  const user = await make('ada', 'ada@example.com')
  const admin = await make('boss', 'boss@example.com', true)
  const deputy = await make('deputy', 'deputy@example.com', true)
  let adminSince = 0
  let renewals = 0

  let fresh = 0
  const values: World['values'] = {
    username: user.username,
    email: user.email,
    password,
    access_token: '',
    refresh_token: '',
    device_token: '',
    session_id: '',
    user_id: '',
    admin_id: '',
    deputy_id: '',
    admin_token: '',
    api_key: '',
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
      // Most of the time there is one administrator only.
      const missed = ++renewals % 40 === 0 ? [admin, deputy] : [admin]
      for (const one of missed) if (!(await isAdmin(one))) await restore(one)
      const alive = await app.request('GET', '/users/me', { token: values.admin_token })
      // A route for administrators needs a login of the last 15 minutes.
      if (alive.status !== 200 || app.clock.now() - adminSince > 10 * MINUTE) {
        values.admin_token = ((await logIn(admin.username)) ?? (await logInAfresh(admin))).access_token!
        adminSince = app.clock.now()
      }
      if ((await app.rows.apiKeys.count({ ownerId: admin.id })) === 0)
        values.api_key = (await app.admin.createApiKey({ owner: admin.id, scopes: ['tokens:introspect'] })).text
      Object.assign(values, { user_id: String(user.id), admin_id: String(admin.id), deputy_id: String(deputy.id) })
    },
    async hasAdmin() {
      const holders = await app.rows.userRoles.all({ role: 'admin' })
      const active = await Promise.all(
        holders.map(({ userId }) => app.rows.users.count({ id: userId, isActive: true })),
      )
      return active.includes(1)
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
