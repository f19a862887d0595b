import { KeywardError } from '../../errors.ts'
import { type ApiKeyCaller, looksLikeApiKey } from '../api-keys/api-keys.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { AccessNeeds, ClientItself, Requester } from './access.ts'
import { authorizeByPermission } from './authorize.ts'

/**
 * See `Access.authorizeSecret`. The secret is checked first, and only a wrong secret takes a place of the rate limit.
 * Therefore a service with an outdated secret does not stop other services of its network.
 */
export async function authorizeSecret(
  needs: AccessNeeds,
  { id, secret }: { id: string; secret: string },
  { access, client, ip }: { access: string } & Requester,
): Promise<SessionCaller | ApiKeyCaller | ClientItself> {
  const { clients, limits } = needs
  // An access token is no secret either: it authorizes a person and not a client.
  if (!looksLikeApiKey(secret)) {
    const { id: clientId } = await clients.authenticate({ id, secret, client, ip })
    return { kind: 'client-itself', clientId }
  }
  try {
    // The id of a registered client goes with the secret of that client alone.
    if (!(await clients.find(id))) return await authorizeByPermission(needs, secret, access)
  } catch (error) {
    if (!(error instanceof KeywardError) || error.code !== 'invalid_token') throw error
  }
  const place = await limits.reserve([{ rule: 'client.secret', key: client }], { ip })
  place.keep()
  throw new KeywardError('invalid_client')
}
