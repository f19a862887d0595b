/** Rows in one batch: few, so that no request waits for a clean-up. */
const BATCH = 200
/** Batches of one chore in one run; the rest waits for the next run. */
const BATCHES = 50

/** Deletes or shortens up to `limit` rows. @returns how many it found */
export type Chore = (limit: number) => Promise<number>

/** Runs every chore until it has found less than a batch. */
export async function cleanUp(chores: readonly Chore[]): Promise<void> {
  for (const chore of chores) for (let batch = 0; batch < BATCHES; batch++) if ((await chore(BATCH)) < BATCH) break
}
