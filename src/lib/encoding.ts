/** Encodes bytes as base64url without padding (RFC 4648 section 5). */
export const toBase64Url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })

/**
 * Decodes base64url without padding.
 * @returns undefined for padding, another alphabet or stray bits, so two different texts never decode to the same bytes
 */
export function fromBase64Url(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: 'base64url' })
    return toBase64Url(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}

/** Encodes bytes as base32 without padding (RFC 4648 section 6, or with the digits of another alphabet). */
export function toBase32(bytes: Uint8Array, digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += digits[(held >> (bits - 5)) & 31]
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + digits[(held << (5 - bits)) & 31] : text
}

export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const encoder = new TextEncoder()
