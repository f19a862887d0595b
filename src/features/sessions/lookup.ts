import type { User } from '../users/users.ts'
import { confirmGeneration } from './confirm.ts'
import { isAlive } from './lifetime.ts'
import { parseRefreshToken } from './refresh-token.ts'
import type { StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** A service that asks about a refresh token has received it, so its generation counts as used (see `refresh`). */
export async function findByRefreshToken(
  needs: SessionsNeeds,
  text: string,
): Promise<{ session: StoredSession; user: User } | 'inactive' | undefined> {
  const { store: db, clock, refreshTokensOf } = needs
  const token = parseRefreshToken(text)
  if (!token) return undefined
  const found = await store.findWithUser(db, token.sessionId)
  if (!found || !refreshTokensOf(found.session).isGenuine(token)) return 'inactive'
  const { session } = found
  if (!isAlive(found, clock.now()) || token.generation !== session.generation) return 'inactive'
  if (session.generation > session.confirmedGeneration)
    await confirmGeneration(needs, { sessionId: session.id, generation: session.generation })
  return found
}
