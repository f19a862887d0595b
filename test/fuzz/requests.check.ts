import { describe, test } from 'bun:test'
import { dialects } from '../support/dialects.ts'
import { FUZZ_TIMEOUT } from './budget.ts'
import { expectStatuses, fuzzPerSuite } from './run.ts'

/** PostgreSQL refuses other texts and numbers than SQLite; most requests go to SQLite, which is faster. */
const shares = { sqlite: 0.6, postgresql: 0.3 }
const usual = [200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422]

describe.each(dialects.map((dialect) => [dialect.name, dialect] as const))(
  'generated requests, on %s',
  (_, dialect) => {
    const fuzz = fuzzPerSuite({ dialect })

    test(
      'A10, K1, K13, K14, P3: are answered as documented within a second, nothing is echoed, no secret is logged',
      async () => expectStatuses(await fuzz(shares[dialect.name]), usual),
      FUZZ_TIMEOUT,
    )
  },
)
