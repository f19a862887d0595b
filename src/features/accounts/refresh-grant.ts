import { KeywardError } from '../../errors.ts'
import type { Grant } from '../sessions/grant.ts'
import { refresh } from '../sessions/refresh.ts'

/**
 * `grant_type=refresh_token`, where a token that is not good is a 400 (RFC 6749 section 5.2).
 * @throws KeywardError `invalid_grant`
 */
export async function refreshGrant(...request: Parameters<typeof refresh>): Promise<Grant> {
  try {
    return await refresh(...request)
  } catch (error) {
    if (error instanceof KeywardError && error.code === 'invalid_refresh_token') throw new KeywardError('invalid_grant')
    throw error
  }
}
