import { type TSchema, t } from 'elysia'
import { catalogue, type ErrorCode } from '../errors.ts'

/** The schema of a problem document (RFC 9457) with the member `code` of Keyward. */
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

/** The schema of a problem document of an OAuth route, which also has the members of RFC 6749 section 5.2. */
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

/** The members that `mfa_required`, `mfa_enrollment_required` and `totp_locked` add to a problem document. */
const factorMembers = {
  mfa_token: t.Optional(
    t.String({
      description:
        'With `mfa_required`: send it to `POST /token/mfa`. With `mfa_enrollment_required`: send it to `POST /token/enroll`',
    }),
  ),
  expires_in: t.Optional(t.Integer({ description: 'With `mfa_token`: how many seconds it works' })),
  methods: t.Optional(
    t.Array(t.String(), {
      description:
        'With `mfa_required`: how to go on, out of `webauthn`, `totp` and `recovery_code`. With `mfa_enrollment_required`: what can be added',
    }),
  ),
  webauthn: t.Optional(
    t.Object({}, { additionalProperties: true, description: 'The request options for a passkey or security key' }),
  ),
}

/** The schema of a problem document that may ask for a second factor. */
export const FactorProblem = t.Object(
  { ...Problem.properties, ...factorMembers },
  { title: 'FactorProblem', description: 'Problem details that may ask for a second factor' },
)

/** The same, of an OAuth route. */
export const OAuthFactorProblem = t.Object(
  { ...OAuthProblem.properties, ...factorMembers },
  { title: 'OAuthFactorProblem', description: 'Problem details of an OAuth route that may ask for a second factor' },
)

/**
 * Returns the keyword of a schema that has the sentence of the refusal, for a person. Without it, the sentence is one of
 * Elysia's, such as "Expected union value".
 * @param parameter the name of a number in the query: Elysia does not tell it when the number is too small or too large
 */
export const refusedWith = (message: string, parameter?: string): RefusedWith => ({
  'x-refusal': { message, parameter },
})

export interface RefusedWith {
  'x-refusal': { message: string; parameter: string | undefined }
}

/**
 * Makes the schema of an optional text in a JSON body. `null` counts as absent, as it does in the FastAPI services that
 * Keyward replaces.
 */
export const optionalText = (description: string) =>
  t.Optional(t.Union([t.String(), t.Null()], { description, ...refusedWith('Expected text') }))

/** Makes the schema of an optional member of a JSON body that has one of a few words. `null` counts as absent. */
export const optionalChoice = <W extends string>(words: readonly W[], description: string) =>
  t.Optional(
    t.Union([t.Union(words.map((word) => t.Literal(word))), t.Null()], {
      description,
      ...refusedWith(`Expected one of ${words.join(', ')}`),
    }),
  )

/**
 * Adds the description and the headers of a successful answer to its schema, for the OpenAPI document. The schema of an
 * answer that is not JSON has a `contentMediaType`.
 * @param headers the description of each header, by name
 */
export const answer = <S extends TSchema>(description: string, schema: S, headers: Record<string, string> = {}): S => ({
  ...schema,
  'x-answer': description,
  'x-headers': headers,
})

/**
 * Returns the schemas of the refusals with these codes, by status. Adds `database_busy`, `database_unavailable` and
 * `internal`, which every route that uses the database may answer.
 */
export const problems = (...codes: ErrorCode[]) => plainProblems(...codes, 'database_busy', 'database_unavailable')

/**
 * As `problems`, for a route that reads a body. Adds the refusals of a body that is malformed, too large or of another
 * media type.
 */
export const bodyProblems = (...codes: ErrorCode[]) =>
  problems(...codes, 'invalid_request', 'payload_too_large', 'unsupported_media_type')

/** The refusals of `Accounts.requireFresh` and of the guard on a route with the word `fresh`. */
export const freshCodes = [
  'not_authenticated',
  'invalid_token',
  'reauthentication_required',
  'forbidden',
  'invalid_password',
  'rate_limited',
  'overloaded',
] as const satisfies readonly ErrorCode[]

/**
 * As `problems`, without `database_busy` and `database_unavailable`: for a route that does not use the database, or
 * that answers a failure of the database in its own way. A route that may answer `invalid_token` may also answer
 * `insufficient_scope`, to an access token of a client.
 */
export function plainProblems(...codes: ErrorCode[]): Record<number, TSchema> {
  // Any route may answer `internal`.
  const ofClients = codes.includes('invalid_token') ? (['insufficient_scope'] as const) : []
  const byStatus = Map.groupBy(new Set([...codes, ...ofClients, 'internal'] as const), (code) => catalogue[code][0])
  return Object.fromEntries(
    // The OpenAPI document shows an example of each code in `x-codes`. `refusals` in openapi/operation.ts makes the
    // examples.
    [...byStatus].map(([status, ofStatus]) => [status, { ...Problem, 'x-codes': ofStatus }]),
  )
}
