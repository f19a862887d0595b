import { KeywardError } from '../../errors.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { clientPrefix } from '../../lib/ip.ts'
import { randomId } from '../../lib/random.ts'
import { levelOf } from '../tokens/tokens.ts'
import { replaceBrowser } from './browser.ts'
import { deviceName } from './device-name.ts'
import { endExcess } from './end.store.ts'
import { followEnd } from './ended.ts'
import { isWorthMail, recordDevice } from './known.ts'
import { type Begun, type BegunSession, expiryOf, lifetimeOf, type NewLogin } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * See `Sessions.begin`. The session gets the session epoch that was read together with the credential.
 * `Sessions.endAll` (after a new password, for example) raises the epoch of the user. If the epoch is raised before
 * `holdForSession` locks the user, the login is refused. If the epoch is raised later, the new session ends.
 */
export async function begin(needs: SessionsNeeds, login: NewLogin): Promise<Begun> {
  const { users, factors } = needs
  const { user, amr, origin, trustedToken, ...more } = login
  // A user who has not accepted the invitation has no credential that could be checked. This is the last word on it.
  if (user.invitedAt !== null || !(await users.holdForSession({ id: user.id, epoch: user.sessionEpoch })))
    throw new KeywardError('invalid_credentials')
  // A change of factors needs the same lock, so none comes between this and the new session.
  if (levelOf(amr) !== 'aal1') return open(needs, login)
  const { has, methods } = await factors.stateOf(user.id)
  const waiting = { user, amr, ...more, ip: origin.ip, methods }
  if (has) {
    const isTrusted = trustedToken !== undefined && (await factors.isTrusted(user, trustedToken))
    return isTrusted ? open(needs, { ...login, amr: [...amr, 'device'] }) : { due: 'factor', ...waiting }
  }
  const demand = await factors.demand(user)
  if (demand?.isForLogin && demand.dueAt <= needs.clock.now()) return { due: 'enrollment', ...waiting }
  return { ...(await open(needs, login)), ...(demand && { secondFactorDue: demand.dueAt }) }
}

/**
 * Stores the session of a login in which everything was shown. Call it with the user's row locked by `holdForSession`.
 */
export async function open(
  needs: SessionsNeeds,
  { user, amr, origin, device, browser, link }: NewLogin,
): Promise<BegunSession> {
  const { store: db, clock, random, audit, mails, lifetimes, maxPerUser } = needs
  const now = clock.now()
  const session = {
    id: randomId(random),
    macSalt: toBase64Url(random.bytes(16)),
    kind: browser ? ('browser' as const) : ('api' as const),
    // With REMEMBER_ME_DAYS=0, nothing is remembered, whatever a form sends.
    isRemembered: browser?.isRemembered === true && lifetimes.remembered.absolute > 0,
    amr: amr.join(' '),
    authTime: now,
    createdAt: now,
  }
  const about = { userId: user.id, sessionId: session.id, ip: origin.ip }
  const { deviceId, isNew } = await recordDevice(needs, { userId: user.id, device })
  const network = clientPrefix(origin.ip)
  const isMailed = await isWorthMail(needs, { userId: user.id, deviceId, isNew, network })
  const expiresAt = expiryOf(lifetimeOf(lifetimes, session), { createdAt: now, now })
  await store.insert(db, {
    ...session,
    ...origin,
    ...store.ofNoClient,
    userId: user.id,
    epoch: user.sessionEpoch,
    mfaTime: levelOf(amr) === 'aal1' ? null : now,
    expiresAt,
    now,
    deviceName: deviceName(origin.userAgent),
    loginNetwork: network,
    deviceId,
  })
  if (link) await needs.links.add({ ...link, userId: user.id, ip: origin.ip })
  if (browser?.replaces !== undefined)
    await replaceBrowser(needs, { replaced: browser.replaces, by: { ...session, userId: user.id }, ip: origin.ip })
  const reason = 'too_many_sessions'
  const excess = { userId: user.id, begun: session.id, keep: maxPerUser - 1, reason, now } as const
  await followEnd(needs, await endExcess(db, excess), { reason, ip: origin.ip })
  await audit.record({ ...about, event: 'login.succeeded', details: { amr: session.amr } })
  if (isNew) await audit.record({ ...about, event: 'login.new_device' })
  if (isMailed) await mails.notify('new_device', user.id, { ip: origin.ip, device: deviceName(origin.userAgent) })
  return { session, user, deviceId }
}
