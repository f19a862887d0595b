import { beforeAll, expect } from 'bun:test'
import fc from 'fast-check'
import type { TestAppOptions } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { fuzzRequests, fuzzSeed } from './budget.ts'
import { type ApiDocument, readDocument } from './document.ts'
import { requestsFor } from './requests.ts'
import { createFuzzer } from './send.ts'
import { createWorld, metricsToken, type World } from './world.ts'

/** Sends so large a share of a run's requests over all databases, and judges every answer. */
export type Fuzz = (share: number) => Promise<{ statuses: ReadonlyMap<number, number> }>

/** The app of a suite, and what sends generated requests to it. */
export function fuzzPerSuite(options: TestAppOptions): Fuzz {
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

  return async (share) => {
    const fuzzer = createFuzzer(app, world, document)
    // A page answers HTML, sets cookies and leads elsewhere: `test/openid` sends hostile requests to those.
    const operations = document.operations.filter(({ answers }) => !answers.has(303))
    const property = fc.asyncProperty(requestsFor(operations), async (plan) => {
      expect(await fuzzer.judge(plan)).toEqual([])
    })
    await fc.assert(property, { seed: fuzzSeed, numRuns: Math.ceil(fuzzRequests * share), endOnFailure: false })
    return fuzzer
  }
}

/** Fails unless these statuses are among the answers: a run is worthless if every request is refused early. */
export function expectStatuses({ statuses }: Awaited<ReturnType<Fuzz>>, wanted: readonly number[]): void {
  for (const status of wanted) expect([status, (statuses.get(status) ?? 0) > 0]).toEqual([status, true])
}
