import { type EpochMs, MINUTE } from '../../lib/clock.ts'

/** Decides when the use of an API key is recorded. */
export interface LastUses {
  /**
   * Whether this use is to be recorded now: at most once a minute and key in this process, whether or not the last one
   * could be written.
   * @param recorded the last use that the database knows
   */
  isDue(id: number, recorded: EpochMs | null, now: EpochMs): boolean
}

/** `last_used_at` is exact to this time, so that most requests need no write. */
const EVERY = MINUTE

export function createLastUses(): LastUses {
  const tried = new Map<number, EpochMs>()
  const isRecent = (at: EpochMs | null | undefined, now: EpochMs) =>
    typeof at === 'number' && Math.abs(now - at) < EVERY
  return {
    isDue(id, recorded, now) {
      if (isRecent(recorded, now) || isRecent(tried.get(id), now)) return false
      tried.set(id, now)
      return true
    },
  }
}
