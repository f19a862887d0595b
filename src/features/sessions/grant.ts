import { KeywardError } from '../../errors.ts'
import { DAY, type EpochMs } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { randomId } from '../../lib/random.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import * as usersStore from '../users/store.ts'
import { roleNames, type User } from '../users/user.ts'
import { type Device, drawDeviceEpoch, isDeviceOf } from './device-token.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { Origin, StoredSession } from './session.ts'
import * as store from './store.ts'

/** What a client gets to act for a user: RFC 6749 section 5.1. */
export interface Grant {
  /** Whom it lets act; no part of the answer. */
  userId: number
  accessToken: string
  /** Lifetime of the access token in seconds. */
  expiresIn: number
  refreshToken: string
}

/** A grant that came with a credential check; `deviceToken` marks the device as one of the user's. */
export interface LoginGrant extends Grant {
  deviceToken: string
}

export interface GrantRequest {
  /** As read together with the credential that was checked. */
  user: User
  /** How the user proved who they are (RFC 8176). */
  amr: readonly string[]
  origin: Origin
  /** The device the log-in came from, if it showed a token of its own. */
  device?: Device
  /** Written in the same transaction. */
  alongside?: () => Promise<void>
}

type GrantDeps = Pick<
  Deps,
  'store' | 'clock' | 'random' | 'config' | 'accessTokens' | 'refreshTokensOf' | 'deviceTokens'
>

/**
 * Begins a session: the one place where one is made, whatever the way in, and it alone checks that the account may
 * have one. The session carries the epoch that was read together with the credential: it is refused when a reset or a
 * deactivation came in between, and ended by one that comes at the same moment. Beyond `MAX_SESSIONS_PER_USER` the
 * longest idle one ends.
 * @throws KeywardError `invalid_credentials` for an account that is inactive or gone, or of which all sessions were
 *   ended since its credential was read
 */
export async function grantSession(
  deps: GrantDeps,
  { user, amr, origin, device, alongside }: GrantRequest,
): Promise<LoginGrant> {
  const { config, clock, random } = deps
  const now = clock.now()
  const id = randomId(random)
  const session = { id, macSalt: toBase64Url(random.bytes(16)), amr: amr.join(' '), authTime: now, createdAt: now }
  const expiresAt = expiryOf(config, now, now)
  const known = device !== undefined && isDeviceOf(device, user)
  const told = { userId: user.id, sessionId: id, ip: origin.ip }
  const deviceEpoch = await deps.store.transaction(async () => {
    const account = { userId: user.id, epoch: user.sessionEpoch }
    const claimed = await usersStore.holdForSession(deps.store, { id: user.id, epoch: user.sessionEpoch })
    if (claimed === undefined) throw new KeywardError('invalid_credentials')
    await store.insert(deps.store, { ...session, ...origin, ...account, expiresAt, now })
    const keep = config.MAX_SESSIONS_PER_USER - 1
    const excess = await store.endExcess(deps.store, { userId: user.id, begun: id, keep, now })
    for (const sessionId of excess)
      await record(deps, { ...told, sessionId, event: 'session.ended', details: { reason: 'too_many_sessions' } })
    await record(deps, { ...told, event: 'login.succeeded', details: { amr: session.amr } })
    if (!known) await record(deps, { ...told, event: 'login.new_device' })
    await alongside?.()
    if (claimed !== 0) return claimed
    const drawn = drawDeviceEpoch(random)
    await usersStore.setDeviceEpoch(deps.store, { id: user.id, deviceEpoch: drawn })
    return drawn
  })
  const deviceToken = await deps.deviceTokens.make({ id: user.id, deviceEpoch }, known ? device.deviceId : undefined)
  return { ...makeGrant(deps, { session, user, tokens: deps.refreshTokensOf(session), generation: 0 }), deviceToken }
}

/** The tokens of a session at one generation. The refresh token is the same however often it is made. */
export function makeGrant(
  deps: Pick<Deps, 'accessTokens'>,
  {
    session,
    user,
    tokens,
    generation,
  }: {
    session: Pick<StoredSession, 'id' | 'amr' | 'authTime'>
    user: User
    /** Of this session. */
    tokens: RefreshTokens
    generation: number
  },
): Grant {
  const { token, expiresIn } = deps.accessTokens.mint({
    userId: user.id,
    sessionId: session.id,
    generation,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerifiedAt !== null,
    roles: roleNames(user),
    amr: session.amr.split(' '),
    authTime: session.authTime,
  })
  return { userId: user.id, accessToken: token, expiresIn, refreshToken: tokens.make(generation) }
}

/** When a session ends that is refreshed now: idle lifetime from now, absolute lifetime from its beginning. */
export const expiryOf = (
  config: Pick<Deps['config'], 'REFRESH_TOKEN_EXPIRE_DAYS' | 'SESSION_MAX_DAYS'>,
  createdAt: EpochMs,
  now: EpochMs,
): EpochMs => Math.min(now + config.REFRESH_TOKEN_EXPIRE_DAYS * DAY, createdAt + config.SESSION_MAX_DAYS * DAY)
