import type { Client } from '../clients/clients.ts'
import type { BegunClientSession, Origin } from '../sessions/sessions.ts'
import type { StoredCode } from './codes.store.ts'
import * as consents from './consents.store.ts'
import { type Granting, stillGranted } from './grant.ts'
import { countedUser, isStrongEnough, mayUse } from './may-use.ts'
import type { OpenIdNeeds } from './openid.ts'
import { hasScope } from './scopes.ts'

/** What a code or a device code gives a client. */
export type Granted = Pick<StoredCode, 'userId' | 'browserSessionId' | 'scope' | 'resources'>

/** A session of a client that has begun, with what its tokens say. */
export interface BegunGrant {
  begun: BegunClientSession
  nonce?: string | undefined
}

/**
 * Begins the session of a client in the running transaction. Everything that the user or an administrator may have
 * withdrawn since the user agreed is read again.
 * @param grant.isAlone true for a session that goes on when the browser session ends, such as that of a television
 * @param grant.sessionId the id of the new session, if it was chosen before
 * @returns undefined when the browser session, the user, the consent, the required role or the required level is gone
 */
export async function beginSession(
  needs: OpenIdNeeds,
  {
    client,
    code,
    origin,
    isAlone = false,
    sessionId,
  }: { client: Client; code: Granted; origin: Origin; isAlone?: boolean; sessionId?: string },
): Promise<BegunGrant | undefined> {
  const { store: db, clock, sessions } = needs
  const browser = await sessions.findBrowser(code.browserSessionId)
  if (!browser || browser.user.id !== code.userId) return undefined
  if (!mayUse(client, await countedUser(needs, browser.user, browser.amr))) return undefined
  if (!isStrongEnough(client, browser.amr)) return undefined
  const granted = stillGranted(client, { scope: code.scope, resources: JSON.parse(code.resources) as string[] })
  if (granted.scope === '') return undefined
  if (!(await consents.touch(db, { userId: code.userId, clientId: client.id, now: clock.now() }))) return undefined
  const begun = await sessions.beginForClient({
    id: sessionId,
    user: browser.user,
    epoch: browser.user.sessionEpoch,
    ...(!isAlone && { parent: browser.id }),
    client,
    ...granted,
    isOffline: hasScope(granted.scope, 'offline_access'),
    amr: browser.amr,
    authTime: browser.authTime,
    origin,
  })
  return { begun }
}

/** Makes what the first tokens of a session need. */
export const finish = ({ sessions }: OpenIdNeeds, { begun }: Pick<BegunGrant, 'begun'>): Granting => ({
  ...sessions.finishForClient(begun),
  user: begun.user,
  generation: 0,
})
