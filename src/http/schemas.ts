import { type TSchema, t } from 'elysia'
import { catalogue, type ErrorCode } from '../errors.ts'

/** RFC 9457, with a stable `code`; on OAuth routes also `error` and `error_description` (RFC 6749 section 5.2). */
export const Problem = t.Object(
  {
    type: t.Literal('about:blank'),
    title: t.String({ examples: ['Conflict'] }),
    status: t.Integer({ examples: [409] }),
    detail: t.String({ description: 'A sentence for a person', examples: ['Email already registered'] }),
    code: t.String({ description: 'A stable word for a program', examples: ['email_taken'] }),
    errors: t.Optional(t.Array(t.Object({ field: t.String(), message: t.String() }))),
    error: t.Optional(t.String({ description: 'RFC 6749 section 5.2, on OAuth routes' })),
    error_description: t.Optional(t.String()),
  },
  { description: 'Problem details (RFC 9457)' },
)

/** What any route may answer: the load was shed, the database is away, or a defect of ours. */
const everywhere: ErrorCode[] = ['internal', 'database_unavailable']
/** What any route with a body may answer before its handler runs. */
const withBody: ErrorCode[] = ['invalid_request', 'payload_too_large', 'unsupported_media_type']

/** The response schemas for refusals by these codes, and for those that any route can answer with. */
export const problems = (...codes: ErrorCode[]) => schemasFor([...codes, ...everywhere])

/** As `problems`, for a route that reads a body. */
export const bodyProblems = (...codes: ErrorCode[]) => schemasFor([...codes, ...withBody, ...everywhere])

function schemasFor(codes: ErrorCode[]): Record<number, TSchema> {
  const byStatus = Map.groupBy(new Set(codes), (code) => catalogue[code][0])
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      { ...Problem, description: of.map((code) => `\`${code}\`: ${catalogue[code][1]}`).join('. ') },
    ]),
  )
}
