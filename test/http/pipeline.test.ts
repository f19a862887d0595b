import { describe, expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { inBatches } from '../../src/http/batching.ts'
import { callerOf, sessionOf } from '../../src/http/caller.ts'
import { createCors } from '../../src/http/cors.ts'
import { refuse } from '../../src/http/errors.ts'
import { exchangeOf } from '../../src/http/exchange.ts'
import { createHttpKit } from '../../src/http/kit.ts'
import { createPipeline, oneByOne, type Pipeline, type PipelineOptions } from '../../src/http/pipeline.ts'
import { createRouteTable, type Route } from '../../src/http/route-table.ts'
import { nextTurn } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { manualClock } from '../support/clock.ts'

const clock = manualClock()
const silent = createLog({ level: 'silent', format: 'json', clock, write: () => {} })
const route = (pattern: string, access: string): Route => ({
  method: 'GET',
  pattern,
  access,
  limit: { none: 'a test' },
  oauth: false,
  secret: false,
  proxied: false,
  fresh: false,
  page: false,
  statuses: [200],
})
const table = createRouteTable([route('/open', 'open'), route('/person', 'user'), route('/late', 'users:read')])
const user = { id: 7 } as never
const sessionCaller = { kind: 'session', userId: 7, sessionId: 's', authTime: 0, acr: 'aal1', user } as const
const keyCaller = { kind: 'api_key', userId: 8, user, permissions: new Set<never>() } as const

function make(replaced: Partial<PipelineOptions> = {}) {
  const lines: Record<string, unknown>[] = []
  const pipeline = createPipeline({
    table,
    guard: (request, { access }) => {
      if (access === 'open') return undefined
      if (!request.headers.has('authorization')) throw new KeywardError('not_authenticated')
      return access === 'user' ? sessionCaller : nextTurn().then(() => keyCaller)
    },
    handle: () => new Response('answer'),
    requestId: () => 'id',
    cors: createCors({ origins: [] }),
    idleSeconds: 75,
    log: createLog({ level: 'debug', format: 'json', clock, write: (line) => lines.push(JSON.parse(line)) }),
    ...replaced,
  })
  return { pipeline, lines }
}
const ask = (path: string, method = 'GET') =>
  new Request(`http://localhost${path}`, { method, headers: { authorization: 'Bearer x' } })
const asks: [string, () => Request][] = [
  ['an open route', () => ask('/open')],
  ['a session', () => ask('/person')],
  ['an API key, found later', () => ask('/late')],
  ['no credential', () => new Request('http://localhost/person')],
  ['a HEAD', () => ask('/person', 'HEAD')],
  ['OPTIONS', () => ask('/person', 'OPTIONS')],
  ['an unknown method', () => ask('/person', 'PUT')],
  ['an unknown path', () => ask('/nowhere')],
]

test.each(asks)('batching does not change the answer or the log: %s', async (_, request) => {
  const told = async (fetchOf: (pipeline: Pipeline) => (request: Request) => Promise<Response>) => {
    const { pipeline, lines } = make()
    const response = await fetchOf(pipeline)(request())
    await nextTurn()
    return { status: response.status, headers: [...response.headers], body: await response.text(), lines }
  }
  const alone = await told((pipeline) => oneByOne(pipeline, clock))
  expect(alone.lines).toHaveLength(1)
  expect(await told((pipeline) => inBatches(pipeline, clock))).toEqual(alone)
})

test('a batch runs each step for all of its requests before the next step', async () => {
  const { pipeline } = make()
  const steps: string[] = []
  const noted: Pipeline = {
    ...pipeline,
    judge: (exchange) => {
      steps.push(`judge ${exchange.path}`)
      pipeline.judge(exchange)
    },
    answer: (exchange) => {
      steps.push(`answer ${exchange.path}`)
      return pipeline.answer(exchange)
    },
    report: (exchange, now) => {
      steps.push(`report ${exchange.path}`)
      pipeline.report(exchange, now)
    },
  }
  const fetch = inBatches(noted, clock)
  await Promise.all([fetch(ask('/open')), fetch(ask('/late')), fetch(ask('/person'))])
  expect(steps.join(', ')).toBe(
    'judge /open, judge /late, judge /person, answer /open, answer /late, answer /person, ' +
      'report /open, report /person, report /late',
  )
})

test.each(['GET', 'HEAD'])('12.A11 the peer and the code of a %s are known without a Host', async (method) => {
  // Bun gives a request without a Host its bare target as URL.
  const received = ask('/open', method)
  Object.defineProperty(received, 'url', { value: '/open' })
  const kit = createHttpKit([], (request) => (request === received ? '203.0.113.9' : undefined))
  let client: string | undefined
  const { pipeline, lines } = make({
    handle(request) {
      client = kit.clientIp(request)
      return refuse(silent, new KeywardError('forbidden'), exchangeOf(request))
    },
  })
  await oneByOne(pipeline, clock)(received)
  expect(client).toBe('203.0.113.9')
  expect(lines).toMatchObject([{ method, route: '/open', status: 403, code: 'forbidden' }])
})

describe('the caller of a request', () => {
  const inHandler = async <T>(path: string, read: (request: Request) => T): Promise<T | Error> => {
    let seen: T | Error | undefined
    const { pipeline } = make({
      handle: (request) => {
        try {
          seen = read(request)
        } catch (error) {
          seen = error as Error
        }
        return new Response()
      },
    })
    await oneByOne(pipeline, clock)(ask(path))
    return seen!
  }

  test('is a session or an API key', async () => {
    expect(await inHandler('/person', callerOf)).toEqual(sessionCaller)
    expect(await inHandler('/person', sessionOf)).toEqual(sessionCaller)
    expect(await inHandler('/late', callerOf)).toEqual(keyCaller)
  })

  test('is an error if the route has no caller, or asks for a session that the caller has not', async () => {
    expect(await inHandler('/open', callerOf)).toEqual(
      new Error('This route is open, or for clients: it has no caller'),
    )
    expect(await inHandler('/open', sessionOf)).toBeInstanceOf(Error)
    expect(await inHandler('/late', sessionOf)).toEqual(new Error('This route can be called without a session'))
    expect(() => callerOf(ask('/person'))).toThrow('no caller')
  })
})
