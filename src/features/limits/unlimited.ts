import type { Store } from '../../storage/store.ts'
import type { Limiter } from './limiter.ts'
import type { Reservation } from './limits.ts'

const freePlaces: Reservation = { keep() {}, async giveBack() {}, async [Symbol.asyncDispose]() {} }

/** Makes the limiter of `RATE_LIMIT=off`, which refuses no attempt. */
export const unlimited = (db: Store): Limiter => ({
  reserve: async () => freePlaces,
  reserveUnder: async () => freePlaces,
  tryReserve: async () => freePlaces,
  commitCounted: (_, requester, work) => db.transaction(work, requester),
  refuseKnown() {},
  closeIfExhausted: async () => false,
  async refill() {},
  isOff: () => false,
})
