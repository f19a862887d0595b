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

export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const encoder = new TextEncoder()
