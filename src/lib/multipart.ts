import { FormError, MAX_PARAMETERS } from './form.ts'

/**
 * Returns the boundary in a `Content-Type` header (RFC 2046 section 5.1.1).
 * @param contentType the value of a header with the media type `multipart/form-data`
 * @returns undefined when the boundary is missing, malformed or given twice
 */
export function boundaryOf(contentType: string): string | undefined {
  const found = [...contentType.matchAll(/;[ \t]*boundary[ \t]*=[ \t]*(?:"([^"\\]*)"|([^\s;,"]+))/gi)]
  const boundary = found.length === 1 ? (found[0]![1] ?? found[0]![2]!) : ''
  return /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary) ? boundary : undefined
}

/**
 * Parses `multipart/form-data` (RFC 7578) that has text fields only. Where other parsers guess, this parser refuses, so
 * that no proxy reads other fields than Keyward. It refuses
 * - text before the first or after the last boundary, a missing last boundary, and line ends that are not CRLF;
 * - a part without `Content-Disposition: form-data` or without a name, or with a header twice;
 * - a name with an escaped character, a name that is given twice, and more than `MAX_PARAMETERS` parts;
 * - a part with a file name, another type than `text/plain`, another charset than UTF-8 or ASCII, or a transfer
 *   encoding such as base64, because no field of Keyward is a file.
 * @param body the whole body, decoded as UTF-8
 * @param boundary as `boundaryOf` returns it
 * @returns an object without a prototype, so that no name has a special meaning
 * @throws FormError when the form is refused
 */
export function parseMultipart(body: string, boundary: string): Record<string, string> {
  const form: Record<string, string> = Object.create(null)
  const delimiter = `\r\n--${boundary}`
  if (!body.startsWith(delimiter.slice(2))) throw malformed()
  let parts = 0
  let at = delimiter.length - 2
  // `at` is always the index after a boundary.
  while (!body.startsWith('--', at)) {
    if (!body.startsWith('\r\n', at)) throw malformed()
    if (++parts > MAX_PARAMETERS) throw new FormError('The form has too many parameters')
    const headersEnd = body.indexOf('\r\n\r\n', at)
    const end = body.indexOf(delimiter, headersEnd + 2)
    if (headersEnd === -1 || end < headersEnd + 4) throw malformed()
    const name = fieldName(body.slice(at + 2, headersEnd))
    if (name in form) throw new FormError('The form has a parameter twice')
    form[name] = body.slice(headersEnd + 4, end)
    at = end + delimiter.length
  }
  const rest = body.slice(at + 2)
  if (rest !== '' && rest !== '\r\n') throw malformed()
  return form
}

/**
 * Returns the name of the field in a part.
 * @param text the header lines of the part, joined by CRLF
 * @throws FormError when the headers are a reason for which `parseMultipart` refuses the part
 */
function fieldName(text: string): string {
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const header = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(line)
    if (header === null) throw malformed()
    const name = header[1]!.toLowerCase()
    if (headers.has(name)) throw malformed()
    headers.set(name, header[2]!.trimEnd())
  }
  const type = headers.get('content-type')
  if (type !== undefined && !plainText.test(type)) throw notText()
  const encoding = headers.get('content-transfer-encoding')
  if (encoding !== undefined && !/^(?:7bit|8bit|binary)$/i.test(encoding)) throw notText()
  const disposition = headers.get('content-disposition') ?? ''
  if (/;[ \t]*filename\*?[ \t]*=/i.test(disposition)) throw notText()
  const field = /^form-data[ \t]*;[ \t]*name[ \t]*=[ \t]*(?:"([^"\\]*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))$/i.exec(
    disposition,
  )
  if (field === null) throw malformed()
  return field[1] ?? field[2]!
}

/**
 * Matches the `Content-Type` of a text field. The whole body was decoded as UTF-8, and ASCII is the only other charset
 * whose bytes are always valid UTF-8 with the same meaning.
 */
const plainText = /^text\/plain(?:[ \t]*;[ \t]*charset[ \t]*=[ \t]*"?(?:utf-?8|us-ascii)"?)?$/i

const malformed = () => new FormError('The multipart form is malformed')
const notText = () => new FormError('The form has a part that is not plain text')
