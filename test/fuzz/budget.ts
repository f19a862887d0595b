/**
 * How many requests all runs send: those of `bun run check:all`, unless `bun run fuzz` sets FUZZ_REQUESTS to another
 * number.
 */
export const fuzzRequests = Number(process.env.FUZZ_REQUESTS ?? 20_000)

/**
 * The same requests each time, so that a check does not fail by chance. FUZZ_SEED=random sends others. A failure prints
 * its seed; FUZZ_SEED with that number and the same FUZZ_REQUESTS sends the same requests again.
 */
export const fuzzSeed = seedOf(process.env.FUZZ_SEED)

/** Half an hour, so that a run that hangs ends. */
export const FUZZ_TIMEOUT = 30 * 60_000

function seedOf(text: string | undefined): number {
  if (text === undefined || text === '') return 20260101
  const seed = text === 'random' ? crypto.getRandomValues(new Int32Array(1))[0]! : Number(text)
  if (!Number.isInteger(seed)) throw new Error('FUZZ_SEED takes a whole number or: random')
  process.stderr.write(`FUZZ_SEED=${seed} FUZZ_REQUESTS=${fuzzRequests}\n`)
  return seed
}
