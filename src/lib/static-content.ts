import { toBase64Url } from './encoding.ts'
import { sha256 } from './hash.ts'

/** Content that is the same for every client until the next version of Keyward. */
export interface StaticContent {
  headers: Record<string, string>
  /** 96 bits of the SHA-256 of the uncompressed bytes. In base64url the hash is safe in a path and in an ETag. */
  hash: string
  plain: Uint8Array | string | Blob
  gzipped: Uint8Array
}

/**
 * Compresses and hashes the bytes once, so that no answer has to.
 * @param keep the uncompressed content for answers: the bytes, or a `Blob` of a file on disk or in the executable
 */
export async function staticContent(
  headers: Record<string, string>,
  bytes: Uint8Array | string,
  keep: StaticContent['plain'] = bytes,
): Promise<StaticContent> {
  return {
    headers,
    hash: toBase64Url(sha256(bytes)).slice(0, 16),
    plain: keep,
    gzipped: await compressed(bytes),
  }
}

/** Compresses with gzip. zlib is loaded here on demand, because loading zlib takes two milliseconds of a start. */
async function compressed(bytes: Uint8Array | string): Promise<Uint8Array> {
  const { gzip } = await import('node:zlib')
  return new Promise((resolve, reject) => {
    gzip(bytes, (error, result) => (error ? reject(error) : resolve(result)))
  })
}

/**
 * Makes the answer with the content, compressed when the client accepts gzip. The answer is 304 when the client already
 * has this version (`If-None-Match`, RFC 9110 section 13.1.2).
 */
export function answerStatic(request: Request, { headers, hash, plain, gzipped }: StaticContent): Response {
  const compressed = acceptsGzip(request.headers.get('accept-encoding'))
  // The compressed and the uncompressed content have different ETags (RFC 9110 section 8.8.3.3).
  const etag = compressed ? `"${hash}.gz"` : `"${hash}"`
  const common = { ...headers, etag, vary: 'Accept-Encoding' }
  if (matches(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers: common })
  return compressed
    ? new Response(gzipped, { headers: { ...common, 'content-encoding': 'gzip' } })
    : new Response(plain, { headers: common })
}

const acceptsGzip = (header: string | null): boolean =>
  header !== null && /(?:^|[\s,])gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(header)

const matches = (header: string | null, etag: string): boolean =>
  header !== null && (header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
