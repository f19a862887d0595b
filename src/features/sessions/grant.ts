import type { Deps } from '../../deps.ts'
import { randomId } from '../../lib/random.ts'
import type { User } from '../users/user.ts'
import * as store from './store.ts'

/** What a successful log-in hands to the client. */
export interface Grant {
  accessToken: string
  /** Seconds. */
  expiresIn: number
}

/**
 * Begins a session: the one place where one is made, whatever the way in. The session carries the epoch that was read
 * together with the credential, so if a reset or a deactivation came in between it is dead from its first use.
 * @param amr how the user proved who they are (RFC 8176)
 */
export async function grantSession(
  deps: Pick<Deps, 'store' | 'clock' | 'random' | 'accessTokens'>,
  { user, amr }: { user: User; amr: readonly string[] },
): Promise<Grant> {
  const now = deps.clock.now()
  const id = randomId(deps.random)
  await store.insert(deps.store, {
    id,
    userId: user.id,
    epoch: user.sessionEpoch,
    amr: amr.join(' '),
    authTime: now,
    now,
  })
  const { token, expiresIn } = deps.accessTokens.mint({
    userId: user.id,
    sessionId: id,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerifiedAt !== null,
    roles: ['user'],
    amr,
    authTime: now,
  })
  return { accessToken: token, expiresIn }
}
