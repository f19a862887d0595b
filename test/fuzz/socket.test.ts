import { beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import fc from 'fast-check'
import { appPerSuite } from '../support/hooks.ts'
import { type Served, serve } from '../support/socket.ts'
import { FUZZ_TIMEOUT, fuzzRequests, fuzzSeed } from './budget.ts'
import { hostileTexts } from './values.ts'

/** Includes 501 and 505, for messages that are not HTTP/1. */
const refusedByBun = new Set([400, 413, 414, 417, 431, 501, 505])

/** Connections cost more than requests in process. */
const connections = Math.ceil(fuzzRequests / 10)

describe('random bytes over a socket', () => {
  let served: Served
  const app = appPerSuite(
    {
      env: {
        SQLITE_SYNCHRONOUS: 'NORMAL',
        SMTP_URL: 'smtp://127.0.0.1:9?tls=none',
        MAIL_FROM: 'no-reply@keyward.test',
      },
    },
    () => served.stop(),
  )
  beforeAll(async () => {
    served = serve(app)
  })

  test(
    'K1, R4: are answered as HTTP or not at all, never with a 5xx, and do not affect later requests',
    async () => {
      const statuses = new Map<number, number>()
      const property = fc.asyncProperty(messages, async (bytes) => {
        const answer = await exchange(served.url, bytes)
        for (const { status, headers } of heads(answer)) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          // Answers of Bun itself, before Keyward sees the request, have no body.
          const bare = !headers.includes('x-request-id:')
          expect([status, bare ? refusedByBun.has(status) : status < 500]).toEqual([status, true])
          if (!bare)
            for (const name of ['x-content-type-options: nosniff', 'cache-control: ']) expect(headers).toContain(name)
        }
      })
      await fc.assert(property, { seed: fuzzSeed, numRuns: connections })
      for (const status of [200, 204, 400, 401, 404, 405, 415])
        expect([status, (statuses.get(status) ?? 0) > 0]).toEqual([status, true])
      expect((await fetch(`${served.url}/livez`)).status).toBe(200)
      expect(app.logs.join('')).not.toContain('unhandled_error')
    },
    FUZZ_TIMEOUT,
  )
})

const token = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PRI'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 12 }) },
)

const target = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('/livez', '/users/me', '/token', '/register', '/users/me/sessions/x', '/openapi.json'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '*',
      '//livez',
      'http://evil.test/livez',
      'livez',
      '/livez?a b',
      '/%',
      '/livez#x',
      '/\xff',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(`/${'x'.repeat(20_000)}`, '/livez\t', '/\0', 'localhost:1', '') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 60 }) },
)

const version = fc.oneof(
  { weight: 12, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.10', 'http/1.1', '', 'X') },
)

const fieldName = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Content-Type',
      'Authorization',
      'Expect',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('Connection', 'Upgrade', 'Cookie', 'X-Forwarded-For', 'Content-Length ', ' Host'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 20 }) },
)

const fieldValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('0', '5', '-1', '+5', '5, 5', '0x5', '99999999999999999999', '1e3', '5 5') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('chunked', 'Chunked', 'gzip, chunked', 'chunked, chunked', 'identity', 'xchunked'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('application/json', 'Bearer a.b.c', 'localhost', 'a b', '[::1', 'close', '100-continue'),
  },
  { weight: 1, arbitrary: fc.constantFrom(...hostileTexts).map((text) => text.slice(0, 20_000)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 60 }) },
)

const field = fc
  .tuple(fieldName, fc.constantFrom(': ', ': ', ': ', ':', ' : ', '', '\t:'), fieldValue)
  .map((parts) => parts.join(''))

const lineEnd = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', '') },
)

const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('{"a":1}', '5\r\nhello\r\n0\r\n\r\n', '0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('ffffffffffffffff1\r\nx', '5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n', '-5\r\n', 'zz\r\n'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 200 }) },
)

/** Two thirds of the messages have a Host and a body as declared; otherwise Bun would answer them all. */
const messages = fc
  .record({
    line: fc.tuple(token, target, version).map((parts) => parts.join(' ')),
    host: fc.oneof(
      { weight: 5, arbitrary: fc.constant(['Host: localhost']) },
      { weight: 1, arbitrary: fc.constant([]) },
    ),
    fields: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 3, arbitrary: fc.array(field, { maxLength: 5 }) },
    ),
    body,
    honest: fc.boolean(),
    end: lineEnd,
    extra: fc.oneof(
      { weight: 9, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii' }) },
    ),
  })
  .map(({ line, host, fields, body, honest, end, extra }) => {
    const length = honest && body !== '' ? [`Content-Length: ${body.length}`] : []
    return extra + [line, ...host, ...fields, ...length, '', body].join(end)
  })

/** Sends bytes, closes the client's half so that no side waits, and returns the answer until the server closes. */
const exchange = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (piece) => {
      answer += piece
    })
    socket.on('close', () => resolve(answer))
    // A reset after a refusal is an answer too.
    socket.on('error', () => {})
    socket.end(bytes, 'latin1')
  })

/** Every answer that arrived, for one request or several. */
const heads = (answer: string): { status: number; headers: string }[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})[^\r\n]*\r\n([\s\S]*?)\r\n\r\n/g)].map(([, status, headers]) => ({
    status: Number(status),
    headers: `${headers}\r\n`.toLowerCase(),
  }))
