import { type Clock, HOUR } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import * as store from './store.ts'

interface EraseNeeds {
  store: Store
  clock: Clock
}

/** The most events that one transaction of `eraseUser` erases. A larger transaction would delay other writes. */
const PART = 500
/**
 * How long after the deletion of a user new events of the user are still erased, in milliseconds. A request that was
 * running during the deletion can write such an event. An hour is far longer than any request.
 */
const KEEP_ERASING = HOUR

/** Implements `Audit.forgetUser`. */
export const requestErasure = ({ store: db, clock }: EraseNeeds, userId: number): Promise<unknown> =>
  store.addErasure(db, { userId, nextId: 0, keepUntil: clock.now() + KEEP_ERASING })

/** Implements `Audit.eraseUser`. */
export async function eraseUser(needs: EraseNeeds, userId: number): Promise<void> {
  while ((await erasePart(needs, { userId, limit: PART })) === PART);
}

/** Implements `Audit.eraseForgotten`. */
export async function eraseForgotten(needs: EraseNeeds, limit: number): Promise<number> {
  const { store: db, clock } = needs
  let most = 0
  for (const { userId, keepUntil } of await store.erasures(db)) {
    const erased = await erasePart(needs, { userId, limit })
    most = Math.max(most, erased)
    if (erased === limit || keepUntil >= clock.now()) continue
    await eraseLate(db, userId)
    await store.removeErasure(db, userId)
  }
  return most
}

/**
 * Reads all events of a user once more, and erases those that are not erased. On PostgreSQL an event has its id before
 * it is committed. Therefore `next_id` may have passed the id of an event that was not visible at that time.
 */
async function eraseLate(db: Store, userId: number): Promise<void> {
  for (let from = 0; ; ) {
    const ids = await store.eventsOf(db, { userId, from, limit: PART })
    const [first, last] = [ids[0], ids.at(-1)]
    if (first === undefined || last === undefined) return
    await store.erase(db, { userId, first, last })
    from = last + 1
  }
}

/** Erases up to `limit` events and records the progress, in one transaction. @returns the number of erased events */
async function erasePart(
  { store: db }: EraseNeeds,
  { userId, limit }: { userId: number; limit: number },
): Promise<number> {
  const ids = await store.eventsToErase(db, { userId, limit })
  const [first, last] = [ids[0], ids.at(-1)]
  if (first === undefined || last === undefined) return 0
  await db.transaction(async () => {
    await store.erase(db, { userId, first, last })
    await store.advanceErasure(db, { userId, nextId: last + 1 })
  })
  return ids.length
}
