import type { Client } from '../clients/clients.ts'
import type { ClientSession } from '../sessions/sessions.ts'
import { roleNames, type User } from '../users/users.ts'
import { grantable } from './authorization-request.ts'
import { countedUser } from './may-use.ts'
import type { OpenIdNeeds } from './openid.ts'
import { claimsOf, hasScope } from './scopes.ts'

/** The answer of the token endpoint to a client (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3). */
export interface ClientGrant {
  /** For the log of requests; undefined when the token is of no user. */
  userId: number | undefined
  accessToken: string
  /** In seconds. */
  expiresIn: number
  scope: string
  refreshToken: string | undefined
  idToken: string | undefined
}

export interface Granting {
  session: ClientSession
  user: User
  generation: number
  /** The refresh token of this generation. */
  refreshToken: string
  nonce?: string | undefined
}

/**
 * What is left of the scope and the resources of a grant. An administrator may have taken some of them from the client
 * since, and what was taken stands in no further token.
 */
export const stillGranted = (
  client: Client,
  { scope, resources }: Pick<ClientSession, 'scope' | 'resources'>,
): Pick<ClientSession, 'scope' | 'resources'> => ({
  scope: grantable(scope.split(' '), client).join(' '),
  resources: resources.filter((resource) => client.resources.includes(resource)),
})

/** Makes the tokens of a client's session: without `openid` no ID token, and a refresh token only for its grant. */
export async function makeGrant(needs: OpenIdNeeds, client: Client, granting: Granting): Promise<ClientGrant> {
  const { tokens } = needs
  const { session, generation, refreshToken, nonce } = granting
  const user = await countedUser(needs, granting.user, session.amr)
  const { scope } = session
  const subject = {
    userId: user.id,
    sessionId: session.id,
    clientId: client.id,
    amr: session.amr,
    authTime: session.authTime,
  }
  const { token, expiresIn } = tokens.mintForClient({
    ...subject,
    generation,
    scope,
    resources: session.resources,
    ...(hasScope(scope, 'profile') && { username: user.username }),
    ...(hasScope(scope, 'email') && { email: user.email, emailVerified: user.emailVerifiedAt !== null }),
    ...(hasScope(scope, 'groups') && { roles: roleNames(user) }),
  })
  const claims = client.hasClaimsInIdToken ? { ...claimsOf(user, scope) } : {}
  const idToken = hasScope(scope, 'openid')
    ? await tokens.mintIdToken({ ...subject, alg: client.idTokenAlg, nonce, accessToken: token, claims })
    : undefined
  return {
    userId: user.id,
    accessToken: token,
    expiresIn,
    scope,
    refreshToken: client.grantTypes.includes('refresh_token') ? refreshToken : undefined,
    idToken,
  }
}
