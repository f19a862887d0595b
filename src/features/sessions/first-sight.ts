import { refusalIn } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import * as store from './store.ts'

/**
 * Notes that a token of this generation was seen: from then on its parent is no honest retry (see `refresh`). While the
 * database takes no writes that is left to the next sight, since a full disk must not shut out who only reads. A thief
 * with the parent may get the owner's own successor until then, and not a branch of his own: whichever of the two
 * refreshes second is found out.
 */
export async function noteSight(
  { store: db }: Pick<Deps, 'store'>,
  sight: { sessionId: string; generation: number },
): Promise<void> {
  try {
    await store.confirm(db, sight)
  } catch (error) {
    if (refusalIn(error)?.status !== 503) throw error
  }
}
