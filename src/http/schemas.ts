import { type TSchema, t } from 'elysia'
import { catalogue, type ErrorCode } from '../errors.ts'

/** RFC 9457, with a stable `code`. */
export const Problem = t.Object(
  {
    type: t.Literal('about:blank'),
    title: t.String({ description: 'What the status means' }),
    status: t.Integer({ description: 'The status of the answer' }),
    detail: t.String({ description: 'A sentence for a person' }),
    code: t.String({ description: 'A stable word for a program' }),
    errors: t.Optional(
      t.Array(t.Object({ field: t.String(), message: t.String() }), {
        description: 'With `validation_failed`: which fields, and why; never what was sent',
      }),
    ),
  },
  { title: 'Problem', description: 'Problem details (RFC 9457)' },
)

/** The same on OAuth routes, with the members of RFC 6749 section 5.2. */
export const OAuthProblem = t.Object(
  {
    ...Problem.properties,
    error: t.String({ description: 'The word of RFC 6749 section 5.2' }),
    error_description: t.String({ description: 'The same sentence as `detail`' }),
  },
  {
    title: 'OAuthProblem',
    description: 'Problem details (RFC 9457) that OAuth clients read too (RFC 6749 section 5.2)',
  },
)

/**
 * The schema of an answer that carries headers of its own: each name with what it means. An answer that is not JSON
 * says so with `contentMediaType`.
 */
export const withHeaders = <S extends TSchema>(schema: S, headers: Record<string, string>): S => ({
  ...schema,
  'x-headers': headers,
})

/** What any route may answer: a defect of ours. */
const everywhere: ErrorCode[] = ['internal']
/** What any route that asks the database may answer. */
const withDatabase: ErrorCode[] = ['database_busy', 'database_unavailable']
/** What any route with a body may answer before its handler runs. */
const withBody: ErrorCode[] = ['invalid_request', 'payload_too_large', 'unsupported_media_type']

/** The response schemas for refusals by these codes, and for those that any route with a database can answer with. */
export const problems = (...codes: ErrorCode[]) => plainProblems(...codes, ...withDatabase)

/** As `problems`, for a route that reads a body. */
export const bodyProblems = (...codes: ErrorCode[]) => problems(...codes, ...withBody)

/** As `problems`, for a route that asks the database nothing, or has words of its own for its failures. */
export function plainProblems(...codes: ErrorCode[]): Record<number, TSchema> {
  const byStatus = Map.groupBy(new Set([...codes, ...everywhere]), (code) => catalogue[code][0])
  return Object.fromEntries(
    // The document says of each code what it answers; see docs-operation.ts.
    [...byStatus].map(([status, of]) => [status, { ...Problem, 'x-codes': of }]),
  )
}
