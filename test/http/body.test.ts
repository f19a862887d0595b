import { describe, expect, test } from 'bun:test'
import type { ErrorCode } from '../../src/errors.ts'
import { KeywardError } from '../../src/errors.ts'
import { BODY_LIMIT, mediaType, readBody } from '../../src/http/body.ts'

type Content = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

const post = (body: Content | null, headers: Record<string, string> = {}): Request =>
  new Request('http://keyward.test/', { method: 'POST', body, headers })

/** A request as the HTTP server passes it on, with the length that the client declared. */
const declared = (body: string | Uint8Array<ArrayBuffer>, length: number | string = Buffer.byteLength(body)): Request =>
  post(body, { 'content-length': String(length) })

interface Source {
  stream: ReadableStream<Uint8Array>
  pulled: number
  cancelled: boolean
}

/** A body that is produced only as fast as it is read, up to a hundred chunks. */
function lazily(chunk: Uint8Array): Source {
  const source: Source = {
    pulled: 0,
    cancelled: false,
    stream: new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(chunk)
          if (++source.pulled === 100) controller.close()
        },
        cancel() {
          source.cancelled = true
        },
      },
      { highWaterMark: 0 },
    ),
  }
  return source
}

const chunked = (...chunks: Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })

async function refusal(reading: Promise<string>): Promise<ErrorCode | 'accepted'> {
  try {
    await reading
  } catch (error) {
    if (error instanceof KeywardError) return error.code
    throw error
  }
  return 'accepted'
}

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values)

describe('readBody', () => {
  test('reads a body with and without a declared length', async () => {
    expect(await readBody(declared('{"a":"é€😀"}'))).toBe('{"a":"é€😀"}')
    expect(await readBody(post('{"a":"é€😀"}'))).toBe('{"a":"é€😀"}')
  })

  test('reads a missing or empty body as an empty text', async () => {
    expect(await readBody(new Request('http://keyward.test/'))).toBe('')
    expect(await readBody(post(null))).toBe('')
    expect(await readBody(post(''))).toBe('')
    expect(await readBody(declared(''))).toBe('')
    expect(await readBody(post(chunked()))).toBe('')
  })

  test('joins characters that are split between chunks', async () => {
    expect(await readBody(post(chunked(bytes(0x61, 0xe2), bytes(0x82), bytes(0xac, 0x62))))).toBe('a€b')
  })

  test('accepts a body of exactly 64 KiB and refuses one byte more, declared or streamed', async () => {
    expect(await readBody(declared('x'.repeat(BODY_LIMIT)))).toHaveLength(65_536)
    expect(await readBody(post('x'.repeat(BODY_LIMIT)))).toHaveLength(65_536)
    expect(await refusal(readBody(declared('x'.repeat(BODY_LIMIT + 1))))).toBe('payload_too_large')
    expect(await refusal(readBody(post('x'.repeat(BODY_LIMIT + 1))))).toBe('payload_too_large')
  })

  test('counts bytes, not characters', async () => {
    expect(await refusal(readBody(declared('€€€€'), 11))).toBe('payload_too_large')
    expect(await refusal(readBody(post('€€€€'), 11))).toBe('payload_too_large')
    expect(await readBody(post('€€€€'), 12)).toBe('€€€€')
  })

  test('refuses a declared length above the limit without reading', async () => {
    const source = lazily(bytes(0x78))
    expect(await refusal(readBody(post(source.stream, { 'content-length': '65537' })))).toBe('payload_too_large')
    expect(source.pulled).toBe(0)
    for (const length of ['99999999999999999999', '9'.repeat(400)])
      expect(await refusal(readBody(declared('x', length)))).toBe('payload_too_large')
  })

  test('stops a long stream at the first chunk above the limit, and cancels it', async () => {
    const source = lazily(new Uint8Array(16_384))
    expect(await refusal(readBody(post(source.stream)))).toBe('payload_too_large')
    expect(source.pulled).toBe(5)
    expect(source.cancelled).toBe(true)
  })

  test('answers the same if the stream cannot be cancelled', async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(40_000)),
      cancel: () => Promise.reject(new Error('no')),
    })
    expect(await refusal(readBody(post(stream)))).toBe('payload_too_large')
  })

  test('does not trust a declared length that is too small or not a number', async () => {
    expect(await refusal(readBody(declared('x'.repeat(100), 5), 10))).toBe('payload_too_large')
    for (const length of ['-1', '1e1', '0x5', '5, 5', '']) {
      expect(await refusal(readBody(declared('x'.repeat(11), length), 10))).toBe('payload_too_large')
      expect(await readBody(declared('x'.repeat(10), length), 10)).toBe('xxxxxxxxxx')
    }
    const source = lazily(new Uint8Array(16_384))
    expect(await refusal(readBody(post(source.stream, { 'content-length': '-1' })))).toBe('payload_too_large')
    expect(source.pulled).toBe(5)
  })

  test.each([
    ['a lone continuation byte', bytes(0x22, 0x80, 0x22)],
    ['Latin-1', bytes(0x22, 0xe9, 0x22)],
    ['an overlong slash', bytes(0xc0, 0xaf)],
    ['a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['a sequence cut off at the end', bytes(0x61, 0xf0, 0x9f, 0x98)],
    ['UTF-16', bytes(0xff, 0xfe, 0x7b, 0x00)],
  ])('refuses what is not UTF-8: %s', async (_, body) => {
    expect(await refusal(readBody(declared(body)))).toBe('invalid_request')
    expect(await refusal(readBody(post(chunked(body))))).toBe('invalid_request')
    expect(await readBody(declared('next'))).toBe('next')
  })

  test('accepts a replacement character that the client sent', async () => {
    expect(await readBody(declared('"\ufffd"'))).toBe('"\ufffd"')
  })

  test('removes one byte order mark and keeps any further ones', async () => {
    expect(await readBody(declared('\ufeff{}'))).toBe('{}')
    expect(await readBody(post(chunked(bytes(0xef), bytes(0xbb, 0xbf, 0x7b, 0x7d))))).toBe('{}')
    expect(await readBody(declared('\ufeff\ufeff{}'))).toBe('\ufeff{}')
  })

  test('treats a body that breaks off as an error of the client', async () => {
    const broken = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes(0x7b)),
        pull: (controller) => controller.error(new Error('connection reset')),
      })
    expect(await refusal(readBody(post(broken())))).toBe('invalid_request')
    expect(await refusal(readBody(post(broken(), { 'content-length': '10' })))).toBe('invalid_request')
  })

  test('treats a body that was already read as an internal error', async () => {
    const request = declared('{}')
    await request.text()
    await expect(readBody(request)).rejects.toThrow(TypeError)
  })

  test('over a socket the refusal of an oversized chunked body arrives, and the server goes on', async () => {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) =>
        readBody(request).then(
          (text) => new Response(String(text.length)),
          (error: KeywardError) => new Response(error.code, { status: error.status }),
        ),
    })
    try {
      const twentyMegabytes = chunked(...Array.from({ length: 320 }, () => new Uint8Array(65_536)))
      const refused = await fetch(server.url, { method: 'POST', body: twentyMegabytes })
      expect([refused.status, await refused.text()]).toEqual([413, 'payload_too_large'])
      const taken = await fetch(server.url, { method: 'POST', body: chunked(new Uint8Array(40_000).fill(0x78)) })
      expect([taken.status, await taken.text()]).toEqual([200, '40000'])
    } finally {
      await server.stop(true)
    }
  })
})

describe('mediaType', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json ; charset = "utf-8"',
    'application/json;\tCharset="UTF8" ',
    'application/json; profile="a;b, \\"c\\""; charset=utf-8',
    'application/json; x=1;; charset=utf-8;',
    'application/json;',
    'application/json; charset=us-ascii',
    'application/json; odata.metadata=minimal; profile=https://example.com/a?b=c; charset=US-ASCII',
  ])('reads %j', (header) => {
    expect(mediaType(header)).toBe('application/json')
  })

  test('distinguishes other types', () => {
    expect(mediaType('application/x-www-form-urlencoded')).toBe('application/x-www-form-urlencoded')
    expect(mediaType('text/plain;charset=utf-8')).toBe('text/plain')
    expect(mediaType('application/problem+json')).toBe('application/problem+json')
    expect(mediaType('multipart/form-data; boundary="x;y"')).toBe('multipart/form-data')
    expect(mediaType('application/jsonp')).toBe('application/jsonp')
  })

  test.each([
    null,
    '',
    ' ',
    'json',
    'application/',
    '/json',
    'application /json',
    'application/json/x',
    'application/json x',
    'application/json, text/plain',
    'application/json; charset=utf-8, application/json',
    'application/json; charset',
    'application/json; charset=',
    'application/json; charset="utf-8',
    'application/json; charset=utf-8"',
    'application/json; =utf-8',
    'application/json; charset=utf-8 x',
    'application/json\u0000',
    'application/jsoñ',
  ])('refuses the malformed %j', (header) => {
    expect(mediaType(header)).toBeUndefined()
  })

  test.each(['latin1', 'iso-8859-1', 'utf-16', 'utf-7', '"utf-16le"', '""', 'utf-8; charset=utf-16', 'utf-88'])(
    'refuses charset=%s',
    (charset) => {
      expect(mediaType(`application/json; charset=${charset}`)).toBeUndefined()
      expect(mediaType(`application/json; a="; charset=utf-8"; CHARSET=${charset}`)).toBeUndefined()
    },
  )

  test('parses long hostile headers quickly', () => {
    const filler = 100_000
    for (const tail of [
      ' '.repeat(filler),
      ';'.repeat(filler),
      `a="${'\\'.repeat(filler + 1)}`,
      `a=${'"'.repeat(filler)}`,
    ])
      expect(mediaType(`application/json;${tail}\u0000`)).toBeUndefined()
  })
})
