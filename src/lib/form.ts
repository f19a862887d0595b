/** Why a form was refused. The message is fixed and holds nothing of the form, so it may be sent to the client. */
export class FormError extends Error {
  override readonly name = 'FormError'
}

/** More than any request of ours has, few enough that a body of nothing but separators costs nothing. */
const MAX_PARAMETERS = 64

/**
 * Reads `application/x-www-form-urlencoded` as the URL standard does (section 5.1), but refuses where it would guess:
 * a parameter given twice, compared after decoding (RFC 6749 section 3.2); a `%` without two hex digits; bytes that
 * are not UTF-8; more than 64 parameters. Empty pieces between `&` are skipped; a parameter without a value is `''`
 * (RFC 6749 wants it treated as omitted: that is for the caller, because a page's form may mean it).
 * @returns an object without a prototype, so that no name means anything special
 * @throws FormError
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
 * Reads the query of a URL with the same strictness.
 * @throws FormError
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
