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

/**
 * Decodes base32 in upper or lower case (RFC 4648 section 6), with or without padding. Bits that fill no byte are dropped.
 * @returns undefined for other characters
 */
export function fromBase32(text: string): Uint8Array | undefined {
  const digits = text.toUpperCase().replace(/=+$/, '')
  if (!/^[A-Z2-7]*$/.test(digits)) return undefined
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const digit of digits) {
    held = ((held << 5) | 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(digit)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return Uint8Array.from(bytes)
}

export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const encoder = new TextEncoder()
