import { constantTimeEqual, sha256 } from '../../lib/hash.ts'

/** Compares a token with METRICS_TOKEN. The time it takes depends neither on the content nor on the length. */
export const isMetricsToken = (token: string, expected: string): boolean =>
  constantTimeEqual(sha256(token), sha256(expected))
