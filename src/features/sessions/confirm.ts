import { refusalIn } from '../../errors.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * Records that a client has used this generation, which ends the retry window of the previous refresh token. While the
 * database takes no writes (a full disk) it is left for the next use, so that reads go on. A thief with the previous
 * token could get the owner's own successor until then; whoever of the two refreshes second is detected.
 */
export async function confirmGeneration(
  { store: db }: Pick<SessionsNeeds, 'store'>,
  generation: { sessionId: string; generation: number },
): Promise<void> {
  try {
    await store.confirm(db, generation)
  } catch (error) {
    if (refusalIn(error)?.status !== 503) throw error
  }
}
