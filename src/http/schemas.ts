import { type TSchema, t } from 'elysia'
import { catalogue, type ErrorCode } from '../errors.ts'

/** RFC 9457, with a stable `code`. */
export const Problem = t.Object(
  {
    type: t.Literal('about:blank'),
    title: t.String({ description: 'The phrase of the status' }),
    status: t.Integer({ description: 'The HTTP status' }),
    detail: t.String({ description: 'A sentence for a person' }),
    code: t.String({ description: 'A stable word for a program' }),
    errors: t.Optional(
      t.Array(t.Object({ field: t.String(), message: t.String() }), {
        description: 'The invalid fields, without their values',
      }),
    ),
  },
  { title: 'Problem', description: 'Problem details (RFC 9457)' },
)

/** A problem of an OAuth route, with the members of RFC 6749 section 5.2. */
export const OAuthProblem = t.Object(
  {
    ...Problem.properties,
    error: t.String({ description: 'The error code of RFC 6749 section 5.2' }),
    error_description: t.String({ description: 'The same sentence as `detail`' }),
  },
  {
    title: 'OAuthProblem',
    description: 'Problem details (RFC 9457) with the members that OAuth clients read (RFC 6749 section 5.2)',
  },
)

/**
 * The schema of a successful answer, with its description and its own headers (name and description) for the document.
 * An answer that is not JSON has a `contentMediaType`.
 */
export const answer = <S extends TSchema>(description: string, schema: S, headers: Record<string, string> = {}): S => ({
  ...schema,
  'x-answer': description,
  'x-headers': headers,
})

/** The response schemas of these refusals, and of those that any route with the database may answer. */
export const problems = (...codes: ErrorCode[]) => plainProblems(...codes, 'database_busy', 'database_unavailable')

/** As `problems`, for a route that reads a body: with the refusals of the body before its handler runs. */
export const bodyProblems = (...codes: ErrorCode[]) =>
  problems(...codes, 'invalid_request', 'payload_too_large', 'unsupported_media_type')

/** As `problems`, for a route that does not use the database, or answers its failures in its own way. */
export function plainProblems(...codes: ErrorCode[]): Record<number, TSchema> {
  // Any route may answer `internal`.
  const byStatus = Map.groupBy(new Set([...codes, 'internal'] as const), (code) => catalogue[code][0])
  return Object.fromEntries(
    // The document shows an example of each code; see openapi/operation.ts.
    [...byStatus].map(([status, ofStatus]) => [status, { ...Problem, 'x-codes': ofStatus }]),
  )
}
