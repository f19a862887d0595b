import { Elysia } from 'elysia'
import { invalidField, KeywardError } from '../errors.ts'
import { FormError, parseForm } from '../lib/form.ts'
import { JsonError, parseStrictJson } from '../lib/json.ts'
import { boundaryOf, parseMultipart } from '../lib/multipart.ts'
import { mediaType, readBody } from './body.ts'

const json = 'application/json'
export const form = 'application/x-www-form-urlencoded'
const multipart = 'multipart/form-data'

/**
 * Makes a parser that reads a body of one of the accepted media types as an object. Elysia's own parsers are not used,
 * because they read `text/plain` as JSON and accept duplicate names.
 */
const parserFor =
  (...accepted: string[]) =>
  async ({ request }: { request: Request }): Promise<unknown> => {
    const type = mediaType(request.headers.get('content-type'))
    if (type === undefined || !accepted.includes(type) || isEncoded(request))
      throw new KeywardError('unsupported_media_type', { sentence: `Send the body as ${accepted.join(' or ')}` })
    const boundary = type === multipart ? boundaryOf(request.headers.get('content-type')!) : undefined
    if (type === multipart && boundary === undefined)
      throw new KeywardError('invalid_request', { sentence: 'The Content-Type has no boundary, or a malformed one' })
    const text = await readBody(request)
    if (type === json && text.trim() === '')
      throw new KeywardError('invalid_request', { sentence: 'The request body is empty; send a JSON object' })
    const body = parse(type, text, boundary)
    // An empty array would pass a schema without required members.
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw invalidField('body', 'Expected a JSON object')
    return body
  }

function parse(type: string, text: string, boundary: string | undefined): unknown {
  try {
    if (boundary !== undefined) return parseMultipart(text, boundary)
    return type === form ? parseForm(text) : parseStrictJson(text)
  } catch (error) {
    if (error instanceof JsonError || error instanceof FormError)
      throw new KeywardError('invalid_request', { sentence: error.message })
    throw error
  }
}

/** A compressed body is refused like an unsupported media type (RFC 9110 section 15.5.16). */
const isEncoded = ({ headers }: Request): boolean => (headers.get('content-encoding') ?? 'identity') !== 'identity'

/** The media types of each parser, by the parser's name. The first media type is recommended to clients. */
const accepted = {
  strictJson: [json],
  jsonOrForm: [json, form],
  strictForm: [form],
  formOrJson: [form, json],
  // The FastAPI services that Keyward replaces take both kinds of form, and `FormData` of a browser is multipart.
  anyForm: [form, json, multipart],
} as const

/** Every route with a body names one of these parsers in `parse`. The parser runs after the guard. */
export const parsers = new Elysia({ name: 'keyward.parsers' })
  .parser('strictJson', parserFor(...accepted.strictJson))
  .parser('strictForm', parserFor(...accepted.strictForm))
  .parser('jsonOrForm', parserFor(...accepted.jsonOrForm))
  .parser('formOrJson', parserFor(...accepted.formOrJson))
  .parser('anyForm', parserFor(...accepted.anyForm))

/**
 * Returns the media types that a route accepts. `parse` comes from the route's Elysia hooks. The list is empty when
 * `parse` names none of `parsers`.
 */
export function mediaTypesOf(parse: unknown): readonly string[] {
  const [parser] = [parse].flat() as (string | { fn?: unknown } | undefined)[]
  const name = typeof parser === 'object' ? parser.fn : parser
  return Object.entries(accepted).find(([known]) => known === name)?.[1] ?? []
}
