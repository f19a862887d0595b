import { KeywardError } from '../../errors.ts'
import { accountWrite } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import * as codes from './codes.store.ts'
import * as store from './consents.store.ts'
import * as devices from './device.store.ts'
import type { OpenIdNeeds } from './openid.ts'

/**
 * Records that a user allows a client what its request asks for, beside what the user allowed before. A trusted client
 * has a consent too, although nobody asked the user: the user sees the client in the list, and can end its sessions.
 * Writes nothing when the consent is there already.
 */
export async function recordConsent(
  { store: db, clock, audit }: OpenIdNeeds,
  { client, scope }: Pick<AuthorizationRequest, 'client' | 'scope'>,
  by: { userId: number; sessionId: string; ip: string },
  isRenewed = false,
): Promise<void> {
  const { userId } = by
  const words = scope.split(' ')
  const covers = (consent: { scopes: readonly string[] } | undefined) =>
    consent !== undefined && words.every((word) => consent.scopes.includes(word))
  const known = await store.find(db, { userId, clientId: client.id })
  if (covers(known) && !isRenewed) return
  await db.transaction(
    async () => {
      const former = await store.find(db, { userId, clientId: client.id })
      const scopes = [...new Set([...(former?.scopes ?? []), ...words])]
      await store.put(db, { userId, clientId: client.id, scopes, now: clock.now() })
      await audit.record({ ...by, event: 'consent.granted', details: { client_id: client.id, scope } })
    },
    { userId },
  )
}

/** See `OpenId.withdrawConsent`. */
export async function withdrawConsent(
  { store: db, audit, sessions, limits }: OpenIdNeeds,
  { userId, sessionId }: Pick<SessionCaller, 'userId' | 'sessionId'>,
  { clientId, ip }: { clientId: string; ip: string },
): Promise<void> {
  const isOne = async () => (await store.listOf(db, userId)).some((consent) => consent.clientId === clientId)
  // First, so that a request that changes nothing takes no place of the limit.
  if (!(await isOne())) throw new KeywardError('client_not_found')
  const place = await limits.reserve([accountWrite(userId)], { userId, ip })
  place.keep()
  await db.transaction(
    async () => {
      // A later consent must not revive what was given under this one. Codes come before the consent, because an exchange
      // locks them in this order.
      await codes.removeUnused(db, { userId, clientId })
      await devices.denyApproved(db, { userId, clientId })
      if (!(await store.remove(db, { userId, clientId }))) throw new KeywardError('client_not_found')
      await sessions.endOfClient({ clientId, userId, reason: 'consent_withdrawn', ip })
      await audit.record({ event: 'consent.withdrawn', userId, sessionId, ip, details: { client_id: clientId } })
    },
    { userId },
  )
}
