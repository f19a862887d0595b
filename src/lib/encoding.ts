/** base64url without padding (RFC 4648 section 5). */
export const toBase64Url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })

/**
 * Decodes base64url, or answers `undefined` for anything but the one canonical spelling:
 * no padding, no other alphabet, no stray bits. So two texts never mean the same bytes.
 */
export function fromBase64Url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const encoder = new TextEncoder()
