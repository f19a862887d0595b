import { catalogue, type ErrorCode } from '../../errors.ts'
import { problemType } from '../errors.ts'
import { form, mediaTypesOf } from '../parsers.ts'
import { FactorProblem, OAuthFactorProblem, OAuthProblem, Problem } from '../schemas.ts'
import { headersOf } from './headers.ts'
import { guardCodes, problemExample, refusalName } from './problems.ts'
import { exampleOf, mapValues, type Schema, type SchemaBook } from './schema.ts'

/** The parts of an Elysia route that the document uses. */
export interface DocumentedRoute {
  method: string
  path: string
  hooks: {
    parse?: unknown
    body?: Schema
    response?: Record<string, Schema>
    detail?: Record<string, unknown>
  }
}

/** The parts of the document to which its operations refer. */
export interface Components {
  schemas: SchemaBook
  responses: Map<string, unknown>
}

interface Parameter extends Record<string, unknown> {
  schema: Schema
  examples?: readonly unknown[]
}

/** An operation as @elysiajs/swagger makes it. */
export interface Draft extends Record<string, unknown> {
  parameters?: Parameter[]
}

/**
 * Makes the operation of a route for the document out of the draft of @elysiajs/swagger. Replaces the parts that the
 * plugin guesses: the media types of the body and of the answers, the security schemes and the refusals. Adds examples.
 * @param components receives the schemas and refusals to which the operation refers
 * @throws Error for a route without an `operationId`, without a description of a successful answer, or with a body but
 * no parser of `parsers.ts`; also the error of `SchemaBook.take`
 */
export function mendOperation({ hooks, path }: DocumentedRoute, draft: Draft, components: Components) {
  const { summary, tags, description, deprecated } = draft
  const { operationId, security, 'x-access': word, 'x-oauth': oauth = false, 'x-fresh': fresh } = hooks.detail ?? {}
  if (operationId === undefined) throw new Error(`${path} has no operationId`)
  const access = word as string
  const needed = access.includes(':') ? `Needs the permission \`${access}\`.` : undefined
  const proof = fresh === true ? (needed ? needsFreshLogin : needsFresh) : undefined
  const parameters = draft.parameters?.map((parameter) => mendParameter(parameter, components))
  return defined({
    operationId,
    summary,
    description: [description, needed, proof].filter(Boolean).join('\n\n'),
    tags,
    deprecated,
    // Swagger UI offers both schemes: the reader logs in with a password, or pastes an access token.
    security: security ?? (access === 'open' ? [] : [{ password: [] }, { bearer: [] }]),
    parameters: parameters?.length ? parameters : undefined,
    requestBody: hooks.body && requestBody(path, hooks.body, hooks.parse, components),
    responses: {
      ...successes(path, hooks.response, components),
      ...refusals(hooks.response, access, oauth === true, components),
    },
  })
}

const needsFreshLogin =
  'Needs a login in the last 15 minutes: otherwise the answer is `401` with the code `reauthentication_required`. A refresh is no login. With a second factor, it is the second factor that must have been shown in the last 15 minutes (`POST /token/step-up`). API keys are `403`: scripts use the command line.'

const needsFresh =
  'Needs your password in the body, or a login in the last 15 minutes: otherwise the answer is `401` with the code `reauthentication_required`. A refresh is no login. With a second factor, it is the second factor that must have been shown in the last 15 minutes (`POST /token/step-up`); a password is no substitute. A wrong password is `403` and counts as a failed login. API keys are `403`.'

function mendParameter(parameter: Parameter, { schemas }: Components) {
  const { name, in: place, description, schema, examples } = parameter
  const example = parameter.example ?? examples?.[0] ?? exampleOf(schema)
  const taken = schemas.take(schema)
  if (parameter.required) return defined({ name, in: place, required: true, description, schema: taken, example })
  // Swagger UI sends the example of a parameter unless the reader deletes it. The example of an optional parameter is
  // therefore in its schema, which Swagger UI does not send.
  const shown = example === undefined ? taken : { ...taken, examples: [example] }
  return defined({ name, in: place, description, schema: shown })
}

function requestBody(path: string, body: Schema, parse: unknown, { schemas }: Components) {
  const types = mediaTypesOf(parse)
  if (types.length === 0) throw new Error(`${path} takes a body and names no parser of ours`)
  const example = exampleOf(body)
  const schema = schemas.take(types.includes(form) ? withFieldExamples(body, example) : body)
  const media = defined({ schema, example })
  const optional = Object.getOwnPropertySymbols(body).some((symbol) => symbol.description === 'TypeBox.Optional')
  return { required: !optional, content: Object.fromEntries(types.map((type) => [type, media])) }
}

/**
 * Gives every field of a form an example: its value in `example`, or an empty text. Swagger UI would send the text
 * "string" for a field without an example.
 */
function withFieldExamples(body: Schema, example: unknown): Schema {
  const values = (example ?? {}) as Record<string, unknown>
  const withExample = (field: Schema, name: string) => ({ ...field, examples: [values[name] ?? ''] })
  return { ...body, properties: mapValues(body.properties as Record<string, Schema>, withExample) }
}

type Responses = Record<string, Schema>

const codesOf = (schema: Schema): ErrorCode[] => (schema['x-codes'] as ErrorCode[] | undefined) ?? []

function successes(path: string, responses: Responses = {}, { schemas }: Components): Responses {
  const own = Object.entries(responses).filter(([, schema]) => codesOf(schema).length === 0)
  return mapValues(Object.fromEntries(own), (schema, status) => {
    const { contentMediaType = 'application/json' } = schema
    const description = schema['x-answer'] ?? schema.description
    if (description === undefined) throw new Error(`${path} does not describe its answer ${status}`)
    const media = defined({ schema: schemas.take(schema), example: exampleOf(schema) })
    return defined({
      description,
      headers: headersOf(Number(status), schema['x-headers'] as Record<string, string>),
      content: empty.has(schema.type) ? undefined : { [contentMediaType as string]: media },
    })
  })
}

const empty = new Set<unknown>(['void', 'undefined', 'null'])

/** Returns the responses for the refusals of a route and of the guard, one response for each HTTP status. */
function refusals(responses: Responses = {}, access: string, oauth: boolean, components: Components): Responses {
  const codes = new Set([...Object.values(responses).flatMap(codesOf), ...guardCodes(access)])
  const problems = [...codes].map((code) => problemExample(code, oauth))
  return mapValues(Object.fromEntries(Map.groupBy(problems, ({ status }) => status)), (ofStatus, status) => {
    const ofCodes = ofStatus.map(({ code }) => code)
    const name = refusalName(ofCodes, oauth)
    const schema = components.schemas.take(problemSchema(ofCodes, oauth))
    components.responses.set(name, {
      description: ofCodes.map((code) => `\`${code}\`: ${catalogue[code][1]}`).join('. '),
      ...defined({ headers: headersOf(Number(status)) }),
      content: {
        [problemType(oauth)]: {
          schema,
          examples: Object.fromEntries(
            ofStatus.map((value) => [value.code, { summary: catalogue[value.code][1], value }]),
          ),
        },
      },
    })
    return { $ref: `#/components/responses/${name}` }
  })
}

/** The codes whose problem document has more members. */
const asksForFactor: readonly ErrorCode[] = ['mfa_required', 'mfa_enrollment_required']

function problemSchema(codes: readonly ErrorCode[], oauth: boolean) {
  if (codes.some((code) => asksForFactor.includes(code))) return oauth ? OAuthFactorProblem : FactorProblem
  return oauth ? OAuthProblem : Problem
}

const defined = <T extends Record<string, unknown>>(record: T): Partial<T> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== '')) as Partial<T>
