import { KeywardError } from '../../errors.ts'
import type { Client } from '../clients/clients.ts'
import type { ClientGrant } from './grant.ts'
import type { OpenIdNeeds } from './openid.ts'
import { readScope } from './scopes.ts'

/**
 * See `OpenId.clientCredentials`. Without a registered scope there is no token (fail closed). Without a `scope` in the
 * request, all registered scopes are granted.
 */
export function clientCredentials(
  { tokens }: OpenIdNeeds,
  client: Client,
  { scope, resource }: { scope: string | undefined; resource: string | undefined },
): ClientGrant {
  if (client.isPublic || !client.grantTypes.includes('client_credentials'))
    throw new KeywardError('unauthorized_client')
  const asked = scope === undefined ? client.credentialsScopes : readScope(scope)
  const granted = asked?.filter((word) => client.credentialsScopes.includes(word)) ?? []
  if (granted.length === 0) throw new KeywardError('invalid_scope')
  if (resource !== undefined && !client.resources.includes(resource)) throw new KeywardError('invalid_target')
  const resources = resource === undefined ? client.resources : [resource]
  const { token, expiresIn } = tokens.mintForService({ clientId: client.id, scope: granted.join(' '), resources })
  const none = { userId: undefined, refreshToken: undefined, idToken: undefined }
  return { ...none, accessToken: token, expiresIn, scope: granted.join(' ') }
}
