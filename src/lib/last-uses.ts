import { type EpochMs, MINUTE } from './clock.ts'

/** Decides when the use of an API key or of a client secret is recorded. */
export interface LastUses {
  /**
   * Returns true when the caller must record this use now: at most once a minute for each id in this process, even
   * when the write fails.
   * @param recorded the last use in the database; null when there is none, or when the stored MAC must be replaced
   */
  isDue(id: number, recorded: EpochMs | null, now: EpochMs): boolean
}

/** `last_used_at` may be this much older than the last use, so that most requests need no write. */
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
