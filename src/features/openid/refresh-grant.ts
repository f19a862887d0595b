import { KeywardError } from '../../errors.ts'
import type { Client } from '../clients/clients.ts'
import type { ClientSession, Origin } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import * as consents from './consents.store.ts'
import { type ClientGrant, makeGrant, stillGranted } from './grant.ts'
import { countedUser, isStrongEnough, mayUse } from './may-use.ts'
import type { OpenIdNeeds } from './openid.ts'
import { readScope } from './scopes.ts'
import { asInvalidGrant } from './token-request.ts'

/**
 * See `OpenId.refresh`. The scope may be named again, but not widened (RFC 6749 section 6). A narrower scope is in the
 * new access token only; the session keeps what was granted. The new tokens have nothing that was taken from the client.
 */
export async function refreshGrant(
  needs: OpenIdNeeds,
  client: Client,
  { refreshToken, scope }: { refreshToken: string; scope: string | undefined },
  origin: Origin,
): Promise<ClientGrant> {
  const { store: db, sessions } = needs
  if (!client.grantTypes.includes('refresh_token')) throw new KeywardError('unauthorized_client')
  const asked = scope === undefined ? undefined : readScope(scope)
  if (scope !== undefined && !asked) throw new KeywardError('invalid_scope')
  const leftOf = ({ scope: all, resources }: ClientSession) =>
    stillGranted(client, { scope: asked ? asked.join(' ') : all, resources })
  const presenter = {
    clientId: client.id,
    origin,
    async allow({ session, user }: { session: ClientSession; user: User }) {
      const agreed = await consents.find(db, { userId: user.id, clientId: client.id })
      const counted = await countedUser(needs, user, session.amr)
      if (!agreed || !mayUse(client, counted) || !isStrongEnough(client, session.amr))
        throw new KeywardError('invalid_grant')
      const granted = session.scope.split(' ')
      if (asked?.some((word) => !granted.includes(word))) throw new KeywardError('invalid_scope')
      if (leftOf(session).scope === '') throw new KeywardError(asked ? 'invalid_scope' : 'invalid_grant')
    },
  }
  const refreshed = await sessions.refreshForClient(refreshToken, presenter).catch(asInvalidGrant)
  return makeGrant(needs, client, { ...refreshed, session: { ...refreshed.session, ...leftOf(refreshed.session) } })
}
