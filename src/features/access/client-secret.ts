import { KeywardError } from '../../errors.ts'
import { type ApiKeyCaller, looksLikeApiKey } from '../api-keys/api-keys.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { AccessNeeds, Requester } from './access.ts'
import { authorize } from './authorize.ts'

/**
 * A wrong secret takes its place after the check. So a right secret is never refused, whatever else its network sends:
 * one service with an outdated key must not stop the others.
 */
export async function authorizeSecret(
  needs: AccessNeeds,
  secret: string,
  { access, client, ip }: { access: string } & Requester,
): Promise<SessionCaller | ApiKeyCaller> {
  try {
    // An access token is no secret of a client.
    if (looksLikeApiKey(secret)) return await authorize(needs, secret, access)
  } catch (error) {
    if (!(error instanceof KeywardError) || error.code !== 'invalid_token') throw error
  }
  const place = await needs.limits.reserve([{ rule: 'client.secret', key: client }], { ip })
  place.keep()
  throw new KeywardError('invalid_client')
}
