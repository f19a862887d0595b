import { Elysia, ParseError, ValidationError } from 'elysia'
import { type FieldError, KeywardError, MISSING, refusalIn } from '../errors.ts'
import type { Log } from '../lib/log.ts'
import { refuse } from './errors.ts'
import { exchangeOf } from './exchange.ts'
import type { RefusedWith } from './schemas.ts'

/**
 * The only Elysia hook for errors. Without a hook, Elysia puts submitted values into a 422, and the message of an
 * unexpected error into a 500.
 */
export const errorHook = (log: Log) =>
  new Elysia({ name: 'keyward.errors' }).onError({ as: 'global' }, ({ error, code, request }) =>
    refuse(log, code === 'NOT_FOUND' ? new KeywardError('not_found') : withoutElysia(error), exchangeOf(request)),
  )

/** Returns the refusal for an error of Elysia itself, and any other error unchanged. */
function withoutElysia(error: unknown): unknown {
  // Elysia wraps the error of a body parser in a ParseError.
  if (refusalIn(error)) return error
  if (error instanceof ParseError) return new KeywardError('invalid_request')
  if (error instanceof ValidationError && error.type !== 'response')
    return new KeywardError('validation_failed', { errors: fieldErrors(error) })
  return error
}

interface InvalidValue {
  path?: string
  message?: string
  value?: unknown
  schema?: Partial<RefusedWith>
}

/** Returns the invalid fields of a request, each field once and without its value. */
function fieldErrors(error: ValidationError): FieldError[] {
  const byField = new Map<string, string>()
  for (const { path, message, value, schema } of error.all as InvalidValue[]) {
    const refusal = schema?.['x-refusal']
    const field = (path ?? '').split('/').filter(Boolean).join('.') || (refusal?.parameter ?? 'body')
    const said = refusal?.message ?? message ?? 'Invalid value'
    if (!byField.has(field)) byField.set(field, value === undefined ? MISSING : said)
  }
  return [...byField].map(([field, message]) => ({ field, message }))
}
