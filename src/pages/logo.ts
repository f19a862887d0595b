import { toBase64Url } from '../lib/encoding.ts'
import { sha256 } from '../lib/hash.ts'
import { readSmallBytes } from '../lib/small-file.ts'

/** The message names the file and says why BRAND_LOGO cannot be used. */
export class LogoError extends Error {
  override readonly name = 'LogoError'
}

export interface Logo {
  /** The name of the file for browsers. It has the hash of the content, so browsers keep it until the content changes. */
  name: string
  type: string
  bytes: Uint8Array<ArrayBuffer>
}

/** The most bytes of a logo. */
const MOST = 64 * 1024

/**
 * Reads the logo. Its first bytes decide what it is, not its name.
 * @throws LogoError for a file that cannot be read, that is too large, or that is no PNG, JPEG, WebP or SVG
 */
export function readLogo(path: string): Logo {
  const file = readSmallBytes(path, MOST)
  if ('message' in file) throw new LogoError(`BRAND_LOGO ${path} ${file.message}`)
  const [ending, type] = kindOf(file.bytes) ?? []
  if (ending === undefined || type === undefined)
    throw new LogoError(`BRAND_LOGO ${path} is not a PNG, JPEG, WebP or SVG image`)
  return { name: `logo-${toBase64Url(sha256(file.bytes)).slice(0, 16)}.${ending}`, type, bytes: file.bytes }
}

function kindOf(bytes: Uint8Array): [ending: string, type: string] | undefined {
  const start = Buffer.from(bytes.subarray(0, 1_024)).toString('latin1')
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return ['png', 'image/png']
  if (start.startsWith('\xff\xd8\xff')) return ['jpg', 'image/jpeg']
  if (/^RIFF....WEBP/s.test(start)) return ['webp', 'image/webp']
  if (/^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg[\s>]/s.test(start))
    return ['svg', 'image/svg+xml']
  return undefined
}

/**
 * Answers with the logo. An SVG may contain scripts: none runs in a picture of a page, and the policy keeps one from
 * running when somebody opens the address of the logo itself.
 */
export const answerLogo = ({ type, bytes }: Logo): Response =>
  new Response(bytes, {
    headers: {
      'content-type': type,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      'cache-control': 'public, max-age=31536000, immutable',
    },
  })
