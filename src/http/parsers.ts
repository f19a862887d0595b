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
 * Makes a parser that accepts a body of the media types in `accepted` and returns an object. Elysia's own parsers are
 * not used, because they read `text/plain` as JSON and accept duplicate names.
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
    // Arrays are refused here, because Elysia would accept an empty array for a schema without required members.
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw invalidField('body', 'Expected a JSON object')
    return body
  }

/**
 * Reads a form for a handler whose route has `parse: 'none'`. Such a handler answers the refusals of the parser itself.
 * @throws KeywardError `invalid_request`, `payload_too_large`, `unsupported_media_type`
 */
export const readForm = (request: Request): Promise<Record<string, string>> =>
  parserFor(form)({ request }) as Promise<Record<string, string>>

/** Makes a parser that works like `parserFor(json)`, and reads an absent or empty body as an object without members. */
const optionalJson = async (context: { request: Request }): Promise<unknown> => {
  const { headers, body } = context.request
  const isEmpty = headers.get('content-length') === '0' || (headers.get('content-length') === null && body === null)
  return isEmpty ? {} : parserFor(json)(context)
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

/**
 * Returns true for a compressed body. Such a body gets 415, as an unsupported media type does (RFC 9110 section
 * 15.5.16).
 */
const isEncoded = ({ headers }: Request): boolean => (headers.get('content-encoding') ?? 'identity') !== 'identity'

/**
 * The media types that each parser accepts, by the name of the parser. The first media type is the recommended one:
 * messages and the OpenAPI document name it first.
 */
const accepted = {
  strictJson: [json],
  optionalJson: [json],
  jsonOrForm: [json, form],
  strictForm: [form],
  formOrJson: [form, json],
  // The FastAPI services that Keyward replaces accept both kinds of form. A browser sends a `FormData` object as
  // multipart.
  anyForm: [form, json, multipart],
} as const

/**
 * The body parsers. Every route with a body names one of them in `parse`. A parser runs after the guard, so the body of
 * a request without a valid credential is not read.
 */
export const parsers = new Elysia({ name: 'keyward.parsers' })
  .parser('strictJson', parserFor(...accepted.strictJson))
  .parser('optionalJson', optionalJson)
  .parser('strictForm', parserFor(...accepted.strictForm))
  .parser('jsonOrForm', parserFor(...accepted.jsonOrForm))
  .parser('formOrJson', parserFor(...accepted.formOrJson))
  .parser('anyForm', parserFor(...accepted.anyForm))

/**
 * Returns the media types that a route accepts.
 * @param parse the member `parse` of the route's Elysia hooks
 * @returns an empty list when `parse` names none of `parsers`
 */
export function mediaTypesOf(parse: unknown): readonly string[] {
  const [parser] = [parse].flat() as (string | { fn?: unknown } | undefined)[]
  const name = typeof parser === 'object' ? parser.fn : parser
  return Object.entries(accepted).find(([known]) => known === name)?.[1] ?? []
}
