import type { ClientCaller } from '../sessions/sessions.ts'
import { claimsOf, type UserClaims } from './scopes.ts'

/** The claims about the user of a client's access token (OpenID Connect Core section 5.3.2). */
export const userinfo = ({ user, scope }: Pick<ClientCaller, 'user' | 'scope'>): { sub: string } & UserClaims => ({
  sub: String(user.id),
  ...claimsOf(user, scope),
})
