import { HOUR, MINUTE } from '../../lib/clock.ts'

/** The pauses after failed attempts. After the attempt that follows the last pause, a logout is given up. */
export const PAUSES: readonly number[] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR]

/** A logout is given up after this time, even if no server ran meanwhile. */
export const LONGEST = 15 * HOUR
