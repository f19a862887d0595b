/** Thrown for a form that is refused. The message contains nothing of the form, so it may be sent to the client. */
export class FormError extends Error {
  override readonly name = 'FormError'
}

/** More parameters than any request to Keyward needs. The limit keeps the work for a body full of parameters small. */
export const MAX_PARAMETERS = 64

/**
 * Parses `application/x-www-form-urlencoded` as the URL standard does (section 5.1), but refuses
 * - a parameter that is given twice, compared after decoding (RFC 6749 section 3.2);
 * - a `%` without two hex digits, and bytes that are not UTF-8;
 * - more than `MAX_PARAMETERS` parameters.
 * Empty pieces between `&` are skipped. A parameter without a value is `''`. RFC 6749 treats such a parameter as
 * omitted, but in the form of an HTML page an empty value has a meaning, so the caller decides.
 * @returns an object without a prototype, so no name has a special meaning
 * @throws FormError when the form is refused
 */
export function parseForm(text: string): Record<string, string> {
  const form: Record<string, string> = Object.create(null)
  let parameters = 0
  for (let start = 0; start < text.length; ) {
    const end = endOf(text, '&', start)
    if (end > start) {
      if (++parameters > MAX_PARAMETERS) throw new FormError('The form has too many parameters')
      const nameEnd = Math.min(endOf(text, '=', start), end)
      const name = decode(text.slice(start, nameEnd))
      if (name in form) throw new FormError('The form has a parameter twice')
      form[name] = decode(text.slice(nameEnd + 1, end))
    }
    start = end + 1
  }
  return form
}

/**
 * Parses the query of a URL by the rules of `parseForm`.
 * @throws FormError when the query is refused
 */
export function parseQuery(url: string): Record<string, string> {
  const start = url.indexOf('?')
  return parseForm(start === -1 ? '' : url.slice(start + 1))
}

function endOf(text: string, separator: string, from: number): number {
  const at = text.indexOf(separator, from)
  return at === -1 ? text.length : at
}

function decode(piece: string): string {
  const spaced = piece.includes('+') ? piece.replaceAll('+', ' ') : piece
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw new FormError('The form has a broken percent-encoding')
  }
}
