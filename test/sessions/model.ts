import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'

/** The rules of sessions, written a second time from their description, not from the code. */
export interface ModelSession {
  generation: number
  refreshedAt: number
  seen: number
  createdAt: number
  expiresAt: number
  /** Late retries, and when the last of them was. */
  late: number
  lateAt: number
  dead: boolean
  /** A login with tokens, a sign-in on a page, or the grant of a client. */
  kind: 'api' | 'browser' | 'client'
  /** For the grant of a client: the number of its browser session, whose absolute end is `ends`. */
  parent?: number
  ends?: number
  offline?: boolean
}

export interface Model {
  active: boolean
  password: number
  /** How often all sessions were ended. */
  epoch: number
  sessions: ModelSession[]
}

/** An operation on a session or its account. Sessions have numbers, tokens have generations. */
export type Act =
  | { kind: 'refresh'; session: number; generation: number }
  | { kind: 'use' | 'logout'; session: number; generation: number; fresh: boolean; alive: boolean }
  | { kind: 'login'; password: number }
  /** `replaces` is the number of the browser session that the new one replaces. */
  | { kind: 'sign in'; epoch: number; replaces: number | undefined }
  | { kind: 'grant'; epoch: number; parent: number; offline: boolean }
  | { kind: 'sign out'; session: number }
  | { kind: 'foreign refresh'; session: number }
  | { kind: 'set password'; password: number }
  | { kind: 'close' | 'open' }

/** `false` if it was refused; for a refresh the generation of the new token. */
export type Outcome = boolean | number

export const GRACE = 10 * SECOND
export const RETRY = 3_600 * SECOND
export const LATE_RETRIES = 3
export const ACCESS = 30 * MINUTE
const IDLE = 30 * DAY
const ABSOLUTE = 180 * DAY
const BROWSER_IDLE = 12 * HOUR
const BROWSER_ABSOLUTE = DAY

export const begin = (now: number): ModelSession => ({
  generation: 0,
  refreshedAt: now,
  seen: 0,
  createdAt: now,
  expiresAt: now + IDLE,
  late: 0,
  lateAt: -1,
  dead: false,
  kind: 'api',
})

const signIn = (now: number): ModelSession => ({ ...begin(now), kind: 'browser', expiresAt: now + BROWSER_IDLE })

/** Ends a browser session, and the sessions of clients in it. */
function signOut(model: Model, number: number): void {
  model.sessions[number]!.dead = true
  for (const one of model.sessions) if (one.parent === number && !one.offline) one.dead = true
}

/** The end of a session that is refreshed now. */
const refreshedEnd = (session: ModelSession, now: number): number =>
  Math.min(now + IDLE, session.createdAt + ABSOLUTE, session.offline ? Infinity : (session.ends ?? Infinity))

export const isAlive = (session: ModelSession | undefined, now: number): session is ModelSession =>
  session !== undefined && !session.dead && session.expiresAt > now

/** Runs one operation alone and at once; changes the model and returns the expected result. */
export function applyTo(model: Model, act: Act, now: number, seen: Outcome): Outcome {
  switch (act.kind) {
    case 'refresh':
      return refresh(model.sessions[act.session], act.generation, now)
    case 'use':
    case 'logout': {
      const session = model.sessions[act.session]
      // The session may end between the check of its token and the logout, which then has nothing to do.
      if (!isAlive(session, now)) return act.kind === 'logout' && act.alive && seen
      // A token that is too old or from the future by its times may be refused; these tests do not check that.
      if (!act.fresh && seen === false) return false
      session.seen = Math.max(session.seen, act.generation)
      if (act.kind === 'logout') session.dead = true
      return true
    }
    case 'login':
      if (!model.active || act.password !== model.password) return false
      model.sessions.push(begin(now))
      return true
    case 'sign in': {
      if (!model.active || act.epoch !== model.epoch) return false
      const number = model.sessions.push(signIn(now)) - 1
      const { replaces } = act
      if (replaces === undefined || !isAlive(model.sessions[replaces], now)) return true
      for (const one of model.sessions)
        if (one.parent === replaces && !one.dead) {
          one.parent = number
          one.ends = now + BROWSER_ABSOLUTE
          if (!one.offline) one.expiresAt = Math.min(one.refreshedAt + IDLE, one.createdAt + ABSOLUTE, one.ends)
        }
      model.sessions[replaces].dead = true
      return true
    }
    case 'grant': {
      const parent = model.sessions[act.parent]
      if (!model.active || act.epoch !== model.epoch || !isAlive(parent, now)) return false
      const granted: ModelSession = { ...begin(now), kind: 'client', parent: act.parent, offline: act.offline }
      granted.ends = parent.createdAt + BROWSER_ABSOLUTE
      granted.expiresAt = refreshedEnd(granted, now)
      model.sessions.push(granted)
      return true
    }
    case 'sign out':
      if (isAlive(model.sessions[act.session], now)) signOut(model, act.session)
      return true
    case 'foreign refresh': {
      const session = model.sessions[act.session]
      if (isAlive(session, now)) session.dead = true
      return false
    }
    case 'set password':
      model.password = act.password
      model.epoch++
      for (const session of model.sessions) session.dead = true
      return true
    case 'close':
      if (model.active) model.epoch++
      if (model.active) for (const session of model.sessions) session.dead = true
      model.active = false
      return true
    case 'open':
      model.active = true
      return true
  }
}

function refresh(session: ModelSession | undefined, generation: number, now: number): number | false {
  if (!isAlive(session, now)) return false
  if (generation === session.generation) {
    session.generation++
    session.refreshedAt = now
    session.expiresAt = refreshedEnd(session, now)
    return session.generation
  }
  if (generation > session.generation) return false
  const age = now - session.refreshedAt
  if (generation === session.generation - 1) {
    if (Math.abs(age) <= GRACE) return session.generation
    if (age <= RETRY && session.seen < session.generation) {
      const isOfLastRetry = session.lateAt >= session.refreshedAt && Math.abs(now - session.lateAt) <= GRACE
      if (!isOfLastRetry) session.late++
      if (!isOfLastRetry && session.late <= LATE_RETRIES) session.lateAt = now
      if (isOfLastRetry || session.late <= LATE_RETRIES) return session.generation
    }
    if (age < 0) return false
  }
  session.dead = true
  return false
}

/** Every order of the numbers from 0 to `count` - 1. */
export function permutations(count: number): number[][] {
  if (count === 0) return [[]]
  return permutations(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => [...order.slice(0, at), count - 1, ...order.slice(at)]),
  )
}
