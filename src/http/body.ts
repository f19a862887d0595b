import { KeywardError } from '../errors.ts'

/**
 * The largest request body, in bytes. `Bun.serve` must have a higher limit, because Bun's own refusal is not a problem
 * document.
 */
export const BODY_LIMIT = 64 * 1024

/**
 * The decoder removes a byte order mark at the start of a body, which PowerShell writes. RFC 8259 section 8.1 allows
 * this.
 */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a request body as UTF-8 text; `''` when the request has no body. A body whose `Content-Length` exceeds `limit`
 * is refused before it is read. A body without `Content-Length` is refused at the chunk that exceeds `limit`, so a
 * client cannot fill the memory.
 * @param limit in bytes; a body of exactly this size is accepted
 * @throws KeywardError `payload_too_large`; `invalid_request` when the body ends early or is not UTF-8. Replacing
 * invalid bytes, as `Request.text()` does, would make two different passwords equal.
 * @throws TypeError when the body was read before, which is a defect of Keyward
 */
export async function readBody(request: Request, limit = BODY_LIMIT): Promise<string> {
  if (request.bodyUsed) throw new TypeError('The request body was read before')
  const declared = declaredLength(request)
  // A body with a declared length is read without the getter `request.body`. This getter makes Bun build a stream,
  // which is slower than reading the whole body at once.
  if (declared !== undefined) {
    if (declared > limit) throw new KeywardError('payload_too_large')
    return decode(await readWhole(request, limit))
  }
  return request.body === null ? '' : decode(await readChunks(request.body, limit))
}

function declaredLength({ headers }: Request): number | undefined {
  const declared = headers.get('content-length')
  return declared !== null && /^\d+$/.test(declared) ? Number(declared) : undefined
}

async function readWhole(request: Request, limit: number): Promise<Uint8Array> {
  const bytes = await request.bytes().catch(endedEarly)
  // The HTTP server enforces the declared length. The body of a request that is made in process may be longer.
  if (bytes.byteLength > limit) throw new KeywardError('payload_too_large')
  return bytes
}

async function readChunks(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read().catch(endedEarly)
    if (done) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)
    length += value.byteLength
    if (length > limit) {
      // `cancel` is not awaited, because the refusal does not depend on the result of `cancel`.
      reader.cancel().catch(() => {})
      throw new KeywardError('payload_too_large')
    }
    chunks.push(value)
  }
}

function endedEarly(cause: unknown): never {
  throw new KeywardError('invalid_request', { sentence: 'The request body ended early', cause })
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new KeywardError('invalid_request', { sentence: 'The request body is not valid UTF-8' })
  }
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const essence = new RegExp(`^(${token}/${token})[ \\t]*(?=;|$)`)
const parameter = new RegExp(
  `;[ \\t]*(?:(${token})[ \\t]*=[ \\t]*(?:([^\\s;,"=][^\\s;,"]*)|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*)?(?=;|$)`,
  'y',
)

/**
 * The charsets that the UTF-8 decoder of `readBody` decodes correctly: UTF-8, and ASCII, which is a subset of UTF-8.
 */
const utf8Label = /^(?:utf-?8|(?:us-)?ascii)$/i

/** The media types of forms. Neither type defines a charset parameter (URL standard section 5, RFC 7578 section 8). */
const isForm = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)$/i

/**
 * Returns the media type of a `Content-Type` header (RFC 9110 section 8.3), in lower case and without parameters.
 * Spaces, quotes, unknown parameters and empty parameters are allowed. The charset of a form is ignored.
 * @returns undefined when the header is missing, malformed or sent twice. Also undefined for a charset other than UTF-8
 * and ASCII, because `readBody` decodes only UTF-8 (RFC 8259 section 8.1)
 */
export function mediaType(header: string | null): string | undefined {
  if (header === null) return undefined
  const type = essence.exec(header)
  if (type === null) return undefined
  for (let at = type[0].length; at < header.length; at = parameter.lastIndex) {
    parameter.lastIndex = at
    const match = parameter.exec(header)
    if (match === null) return undefined
    const [, name, plain, quoted = ''] = match
    if (name?.toLowerCase() === 'charset' && !isForm.test(type[1]!) && !utf8Label.test(plain ?? quoted))
      return undefined
  }
  return type[1]!.toLowerCase()
}
