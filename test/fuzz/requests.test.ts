import { beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { TestAppOptions } from '../support/app.ts'
import { dialects } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { FUZZ_TIMEOUT, fuzzRequests, fuzzSeed } from './budget.ts'
import { type ApiDocument, readDocument } from './document.ts'
import { requestsFor } from './requests.ts'
import { createFuzzer } from './send.ts'
import { createWorld, metricsToken, type World } from './world.ts'

interface Run {
  name: string
  /** Requests over all databases. */
  share: number
  options: TestAppOptions
  /** Statuses that must be among the answers: the run is worthless if every request is refused early. */
  answers: readonly number[]
}

const usual = [200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422]
const limited = { dialect: dialects[0]!, env: { RATE_LIMIT: 'on' } }

/** PostgreSQL refuses other texts and numbers than SQLite; most requests go to SQLite, which is faster. */
const shares = { sqlite: 0.75, postgresql: 0.15 }
const runs: Run[] = [
  ...dialects.map((dialect) => ({
    name: dialect.name,
    share: shares[dialect.name],
    options: { dialect },
    answers: usual,
  })),
  { name: `${dialects[0]!.name} with limits`, share: 0.1, options: limited, answers: [200, 401, 422, 429] },
]

describe.each(runs)('generated requests, on $name', ({ share, options, answers }) => {
  // Mails are queued and never sent. Without a mail server, a request for one would be 503.
  const mail = { SMTP_URL: 'smtp://127.0.0.1:9?tls=none', MAIL_FROM: 'no-reply@keyward.test' }
  const others = { METRICS_TOKEN: metricsToken, CORS_ORIGINS: 'https://app.keyward.test', SQLITE_SYNCHRONOUS: 'NORMAL' }
  const env = { ...others, ...mail }
  const app = appPerSuite({ ...options, env: { ...env, ...options.env } })
  let world: World
  let document: ApiDocument
  beforeAll(async () => {
    document = readDocument(await (await app.request('GET', '/openapi.json')).text())
    world = await createWorld(app)
  }, 60_000)

  test(
    'A10, K1, K13, K14, P3: are answered as documented within a second, nothing is echoed, no secret is logged',
    async () => {
      const fuzzer = createFuzzer(app, world, document)
      const property = fc.asyncProperty(requestsFor(document.operations), async (plan) => {
        expect(await fuzzer.judge(plan)).toEqual([])
      })
      await fc.assert(property, { seed: fuzzSeed, numRuns: Math.ceil(fuzzRequests * share), endOnFailure: false })
      for (const status of answers) expect([status, (fuzzer.statuses.get(status) ?? 0) > 0]).toEqual([status, true])
    },
    FUZZ_TIMEOUT,
  )
})
