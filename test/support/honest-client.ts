import { expect } from 'bun:test'
import type { Random } from '../../src/lib/random.ts'
import type { RunningBinary } from './binary.ts'

/** The part of a server that a client talks to. */
export type Service = Pick<RunningBinary, 'request'>

/** The connection broke with the server: it is unknown whether the request was done. */
export class Cut extends Error {}

interface Session {
  access: string
  /** Refresh tokens as they were answered, newest last. */
  refresh: string[]
  /** `maybe` if the answer to its logout was lost. */
  fate: 'alive' | 'dead' | 'maybe'
}

interface Account {
  username: string
  registered: 'no' | 'yes' | 'maybe'
  id?: number
  password: string
  /** A change of password whose answer was lost, and the session that sent it, which must survive. */
  change?: { to: string; by: Session }
  sessions: Session[]
  logins: number
}

export interface HonestClientOptions {
  /** The prefix of its usernames, so that clients do not collide. */
  name: string
  random: Pick<Random, 'fraction'>
  /** Called for every answer. */
  answered: (what: string) => void
  /** Called for every account whose registration was answered. */
  registered: (account: { id: number; username: string }) => void
}

/** Sessions that a client keeps at a time, so that the service's own limit ends none of them. */
const SESSIONS = 3
/** Logins to one account before the client opens another, well below `MAX_SESSIONS_PER_USER`. */
const LOGINS = 30

/**
 * A client that does one thing after the other and records the answers. From them it knows what must hold after a kill:
 * an answered request is done, an unanswered one is done completely or not at all.
 */
export function createHonestClient({ name, random, answered, registered }: HonestClientOptions) {
  let accounts = 0
  let passwords = 0
  const open = (): Account => ({
    username: `${name}-${++accounts}`,
    registered: 'no',
    password: `${name} secret ${++passwords}`,
    sessions: [],
    logins: 0,
  })
  let account = open()

  /** Sends one request and reads the whole answer. */
  async function ask<T = unknown>(service: Service, ...request: Parameters<Service['request']>) {
    try {
      const response = await service.request(...request)
      const text = await response.text()
      answered(`${request[0]} ${request[1]}`)
      return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T }
    } catch (error) {
      if (isCut(error)) throw new Cut()
      throw error
    }
  }

  async function register(service: Service, as: Account): Promise<void> {
    const { username, password } = as
    as.registered = 'maybe'
    const json = { email: `${username}@example.com`, username, password }
    const { status, body } = await ask<{ id: number }>(service, 'POST', '/register', { json })
    expect([username, status, body]).toEqual([username, 201, expect.objectContaining({ username })])
    known(as, body.id)
  }

  function known(as: Account, id: number): void {
    as.registered = 'yes'
    as.id = id
    registered({ id, username: as.username })
  }

  /** The status of a login; it adds the new session to those of the client. */
  async function logIn(service: Service, as: Account, password: string): Promise<number> {
    const form = { username: as.username, password }
    const { status, body } = await ask<Record<string, string>>(service, 'POST', '/token', { form })
    if (status === 200) {
      as.logins++
      as.sessions.push({ access: body.access_token!, refresh: [body.refresh_token!], fate: 'alive' })
    }
    return status
  }

  async function refresh(service: Service, session: Session, token = session.refresh.at(-1)!): Promise<number> {
    const json = { refresh_token: token }
    const { status, body } = await ask<Record<string, string>>(service, 'POST', '/token/refresh', { json })
    if (status === 200) {
      session.access = body.access_token!
      if (body.refresh_token !== session.refresh.at(-1)) session.refresh.push(body.refresh_token!)
    }
    return status
  }

  const me = async (service: Service, { access }: Session) =>
    ask<{ id: number; username: string }>(service, 'GET', '/users/me', { token: access })

  async function logOut(service: Service, session: Session): Promise<void> {
    session.fate = 'maybe'
    expect((await ask(service, 'POST', '/logout', { token: session.access })).status).toBe(204)
    session.fate = 'dead'
  }

  async function changePassword(service: Service, by: Session): Promise<void> {
    const to = `${name} secret ${++passwords}`
    account.change = { to, by }
    const json = { current_password: account.password, new_password: to }
    const { status, body } = await ask(service, 'PUT', '/users/me/password', { token: by.access, json })
    expect([status, body]).toEqual([204, undefined])
    changed(true)
  }

  /** Settles a change of password: it ended every other session, or nothing. */
  function changed(done: boolean): void {
    const { to, by } = account.change!
    account.change = undefined
    if (!done) return
    account.password = to
    for (const session of account.sessions) if (session !== by) session.fate = 'dead'
  }

  /** Sends one random request, as a client would. @throws Cut */
  async function act(service: Service): Promise<void> {
    if (account.registered === 'no') await register(service, account)
    const alive = account.sessions.filter(({ fate }) => fate === 'alive')
    const session = alive[Math.floor(random.fraction() * alive.length)]
    const choice = random.fraction()
    if (!session || (choice < 0.15 && alive.length < SESSIONS))
      expect(await logIn(service, account, account.password)).toBe(200)
    else if (choice < 0.55) expect(await refresh(service, session)).toBe(200)
    else if (choice < 0.7) expect((await me(service, session)).status).toBe(200)
    else if (choice < 0.8) await logOut(service, session)
    else if (choice < 0.9) await changePassword(service, session)
    else {
      account = open()
      await register(service, account)
    }
  }

  /** Checks the account after a restart; afterwards its state is known exactly. */
  async function check(service: Service): Promise<void> {
    if (account.registered === 'no') return
    if (account.registered === 'maybe') {
      const status = await logIn(service, account, account.password)
      if (status !== 200) expect([account.username, status]).toEqual([account.username, 401])
      // Half a registration would leave the name taken and the password unknown.
      if (status === 401) await register(service, account)
      else known(account, (await me(service, account.sessions[0]!)).body.id)
    }
    if (account.change) {
      const { to } = account.change
      const before = account.sessions.length
      const statuses = [await logIn(service, account, account.password), await logIn(service, account, to)]
      const [fresh] = account.sessions.splice(before)
      expect([account.username, ...statuses.toSorted()]).toEqual([account.username, 200, 401])
      changed(statuses[1] === 200)
      account.sessions.push(fresh!)
    }
    for (const session of account.sessions) await checkSession(service, session)
    account.sessions = account.sessions.filter(({ fate }) => fate === 'alive')
    const [right, suffix] = random.fraction() < 0.7 ? [200, ''] : [401, '?']
    const status = await logIn(service, account, account.password + suffix)
    expect([account.username, status]).toEqual([account.username, right])
    while (account.sessions.length > SESSIONS) await logOut(service, account.sessions.shift()!)
    if (account.logins > LOGINS) account = open()
  }

  async function checkSession(service: Service, session: Session): Promise<void> {
    const { status, body } = await me(service, session)
    if (session.fate === 'maybe') session.fate = status === 200 ? 'alive' : 'dead'
    const newest = session.refresh.at(-1)!
    if (session.fate === 'dead') {
      expect([account.username, status, await refresh(service, session)]).toEqual([account.username, 401, 401])
      return
    }
    expect([account.username, status, body]).toEqual([
      account.username,
      200,
      expect.objectContaining({ id: account.id, username: account.username }),
    ])
    // Also if the answer to the last refresh was lost; sometimes a second time, as if this answer was lost too.
    expect([account.username, await refresh(service, session)]).toEqual([account.username, 200])
    const successor = session.refresh.at(-1)
    expect(successor).not.toBe(newest)
    const choice = random.fraction()
    if (choice < 0.2)
      expect([await refresh(service, session, newest), session.refresh.at(-1)]).toEqual([200, successor])
    const spent = session.refresh.at(-3)
    if (spent === undefined || choice < 0.8) return
    // A used token stays used, and ends the session.
    expect([account.username, await refresh(service, session, spent)]).toEqual([account.username, 401])
    expect([account.username, (await me(service, session)).status]).toEqual([account.username, 401])
    session.fate = 'dead'
  }

  return {
    check,
    /** Acts until the service is gone. */
    async actUntilCut(service: Service): Promise<void> {
      try {
        for (;;) await act(service)
      } catch (error) {
        if (!(error instanceof Cut)) throw error
      }
    },
  }
}

export type HonestClient = ReturnType<typeof createHonestClient>

/** The errors of Bun's `fetch` when the server goes away; any other error must fail the test. */
/** Returns true for the error of a request whose connection broke, or could not be opened. */
export const isCut = (error: unknown): boolean =>
  /^(ECONN|EPIPE|ConnectionClosed|ConnectionRefused|ERR_SOCKET|ERR_HTTP2|ERR_STREAM|Unexpected EOF)/i.test(
    String((error as { code?: string }).code),
  )
