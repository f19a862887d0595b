import { KeywardError } from '../errors.ts'

/** The largest request body, in bytes. The limit of Bun's server is higher; its refusal is not a problem document. */
export const BODY_LIMIT = 64 * 1024

/** One leading byte order mark is stripped, as `Request.text()` does and RFC 8259 section 8.1 allows; PowerShell writes one. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a request body as UTF-8 text, `''` when there is none. A body whose declared length exceeds `limit` is refused
 * unread. A streamed body is counted as it arrives and refused at the chunk that exceeds it, so it never fills the memory.
 * @param limit in bytes; a body of exactly this size passes
 * @throws KeywardError `payload_too_large`; `invalid_request` for bytes that are not UTF-8 (replacing them, as
 * `Request.text()` does, would make two passwords equal) and for a body that ends early
 * @throws TypeError when the body was read before, which is a defect of Keyward
 */
export async function readBody(request: Request, limit = BODY_LIMIT): Promise<string> {
  if (request.bodyUsed) throw new TypeError('The request body was read before')
  const declared = declaredLength(request)
  // Looked at first: asking a request for its stream makes Bun build one, which costs more than the read itself.
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
  // The HTTP server enforces the declared length. A request made in process may break it.
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
      // Not awaited: the refusal does not depend on the source's reaction.
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
  `;[ \\t]*(?:(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*)?(?=;|$)`,
  'y',
)
const utf8Label = /^utf-?8$/i

/**
 * The media type of a `Content-Type` header (RFC 9110 section 8.3), lower-cased and without its parameters.
 * `undefined` when there is none, when it is malformed or given twice, and when it names a charset other than UTF-8,
 * since `readBody` decodes only UTF-8 (RFC 8259 section 8.1). Spaces, quotes, other parameters and empty ones are allowed.
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
    if (name?.toLowerCase() === 'charset' && !utf8Label.test(plain ?? quoted)) return undefined
  }
  return type[1]!.toLowerCase()
}
