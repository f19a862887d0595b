import { describe, test } from 'bun:test'
import { dialects } from '../support/dialects.ts'
import { FUZZ_TIMEOUT } from './budget.ts'
import { expectStatuses, fuzzPerSuite } from './run.ts'

const dialect = dialects[0]!

// A tenth of the requests; requests.check.ts sends the others.
describe(`generated requests, on ${dialect.name} with limits`, () => {
  const fuzz = fuzzPerSuite({ dialect, env: { RATE_LIMIT: 'on' } })

  test(
    'A10, K1, K13, K14, P3: are answered as documented within a second, nothing is echoed, no secret is logged',
    async () => expectStatuses(await fuzz(0.1), [200, 401, 422, 429]),
    FUZZ_TIMEOUT,
  )
})
