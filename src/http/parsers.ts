import { Elysia } from 'elysia'
import { KeywardError } from '../errors.ts'
import { FormError, parseForm } from '../lib/form.ts'
import { JsonError, parseStrictJson } from '../lib/json.ts'
import { mediaType, readBody } from './body.ts'

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

/** Reads the body as one of the named media types; Elysia's own parsers take `text/plain` for JSON and keep duplicates. */
const parserFor =
  (...accepted: string[]) =>
  async ({ request }: { request: Request }): Promise<unknown> => {
    const type = mediaType(request.headers.get('content-type'))
    if (type === undefined || !accepted.includes(type) || isEncoded(request))
      throw new KeywardError('unsupported_media_type')
    const text = await readBody(request)
    try {
      return type === form ? parseForm(text) : parseStrictJson(text)
    } catch (error) {
      if (error instanceof JsonError || error instanceof FormError)
        throw new KeywardError('invalid_request', { sentence: error.message })
      throw error
    }
  }

/** A compressed body is a media type that nobody here reads (RFC 9110 section 15.5.16). */
const isEncoded = ({ headers }: Request): boolean => (headers.get('content-encoding') ?? 'identity') !== 'identity'

/** Every route with a body names one of these in `parse`. They run after the credential was judged. */
export const parsers = new Elysia({ name: 'keyward.parsers' })
  .parser('strictJson', parserFor(json))
  .parser('strictForm', parserFor(form))
  .parser('formOrJson', parserFor(form, json))
