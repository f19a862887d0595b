import { catalogue, type ErrorCode } from '../../errors.ts'
import { form, mediaTypesOf } from '../parsers.ts'
import { OAuthProblem, Problem } from '../schemas.ts'
import { headersOf } from './headers.ts'
import { guardCodes, type ProblemExample, problemExample, refusalName } from './problems.ts'
import { exampleOf, type Schema, type SchemaBook } from './schema.ts'

/** The parts of Elysia's route that the document reads. */
export interface DocumentedRoute {
  method: string
  path: string
  hooks: RouteWords
}

interface RouteWords {
  parse?: unknown
  body?: Schema
  response?: Record<string, Schema>
  detail?: Record<string, unknown>
}

/** The parts of a document that its operations share. */
export interface Components {
  schemas: SchemaBook
  responses: Map<string, unknown>
}

interface Parameter {
  name: string
  in: string
  required?: boolean
  description?: string
  example?: unknown
  examples?: readonly unknown[]
  schema: Schema
}

/** An operation as @elysiajs/swagger makes it. */
export interface Draft extends Record<string, unknown> {
  parameters?: Parameter[]
}

/**
 * Corrects a draft: the media types of the parser and of the answers, the security schemes, every refusal as it is
 * really answered, and examples.
 * @throws Error for a route without an `operationId`, without words for a success, or with a body and no parser of ours
 */
export async function mendOperation({ hooks, path }: DocumentedRoute, draft: Draft, components: Components) {
  const { access, oauth } = wordsOf(hooks)
  const { summary, tags, description, deprecated } = draft
  const { operationId, security } = hooks.detail ?? {}
  if (operationId === undefined) throw new Error(`${path} has no operationId`)
  const parameters = draft.parameters?.map((parameter) => mendParameter(parameter, components))
  return defined({
    operationId,
    summary,
    description: [description, access.includes(':') ? `Needs the permission \`${access}\`.` : undefined]
      .filter(Boolean)
      .join('\n\n'),
    tags,
    deprecated,
    security: security ?? securityOf(access),
    parameters: parameters?.length ? parameters : undefined,
    requestBody: hooks.body && requestBody(path, hooks.body, hooks.parse, components),
    responses: { ...successes(hooks, path, components), ...(await refusals(hooks, access, oauth, components)) },
  })
}

/** A route with a credential takes a token, whether Swagger UI gets it by a login or the reader pastes it. */
const securityOf = (access: string): Record<string, string[]>[] =>
  access === 'open' ? [] : [{ password: [] }, { bearer: [] }]

const wordsOf = ({ detail = {} }: RouteWords) => ({
  access: detail['x-access'] as string,
  oauth: detail['x-oauth'] === true,
})

function mendParameter(parameter: Parameter, { schemas }: Components) {
  const { name, in: place, description } = parameter
  const example = parameter.example ?? parameter.examples?.[0] ?? exampleOf(parameter.schema)
  const schema = schemas.take(parameter.schema)
  if (parameter.required) return defined({ name, in: place, required: true, description, schema, example })
  // Swagger UI fills in and sends the example of a parameter, but not that of its schema.
  const shown = example === undefined ? schema : { ...schema, examples: [example] }
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
 * Gives every field of a form an example, which is empty where the example of the form has none. Swagger UI fills in
 * the fields, and writes "string" into one without an example.
 */
function withFieldExamples(body: Schema, example: unknown): Schema {
  const values = (example ?? {}) as Record<string, unknown>
  const fields = Object.entries(body.properties as Record<string, Schema>)
  const properties = fields.map(([name, field]) => [name, { ...field, examples: [values[name] ?? ''] }])
  return { ...body, properties: Object.fromEntries(properties) }
}

/** The answers that are no refusals. */
function successes({ response = {} }: RouteWords, path: string, { schemas }: Components): Record<string, unknown> {
  const own = Object.entries(response).filter(([, schema]) => codesOf(schema).length === 0)
  return Object.fromEntries(
    own.map(([status, schema]) => {
      const { contentMediaType = 'application/json' } = schema
      const description = schema['x-answer'] ?? schema.description
      if (description === undefined) throw new Error(`${path} does not describe its answer ${status}`)
      const media = defined({ schema: schemas.take(schema), example: exampleOf(schema) })
      return [
        status,
        defined({
          description,
          headers: headersOf(Number(status), schema['x-headers'] as Record<string, string>),
          content: empty.has(schema.type) ? undefined : { [contentMediaType as string]: media },
        }),
      ]
    }),
  )
}

const empty = new Set<unknown>(['void', 'undefined', 'null'])

/** The refusals of a route and of the guard, by the status that is really answered. */
async function refusals(
  { response = {} }: RouteWords,
  access: string,
  oauth: boolean,
  components: Components,
): Promise<Record<string, unknown>> {
  const codes = new Set([...Object.values(response).flatMap(codesOf), ...guardCodes(access, oauth)])
  const examples = await Promise.all([...codes].map((code) => problemExample(code, oauth)))
  const byStatus = Map.groupBy(examples, ({ status }) => status)
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => {
      const name = refusalName(
        of.map(({ code }) => code),
        oauth,
      )
      components.responses.set(name, problemAnswer(status, of, components.schemas.take(oauth ? OAuthProblem : Problem)))
      return [status, { $ref: `#/components/responses/${name}` }]
    }),
  )
}

const codesOf = (schema: Schema): ErrorCode[] => (schema['x-codes'] as ErrorCode[] | undefined) ?? []

const problemAnswer = (status: number, problems: readonly ProblemExample[], schema: Schema) => ({
  description: problems.map(({ code }) => `\`${code}\`: ${catalogue[code][1]}`).join('. '),
  ...defined({ headers: headersOf(status) }),
  content: {
    'application/problem+json': {
      schema,
      examples: Object.fromEntries(
        problems.map(({ code, body }) => [code, { summary: catalogue[code][1], value: body }]),
      ),
    },
  },
})

const defined = <T extends Record<string, unknown>>(record: T): Partial<T> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== '')) as Partial<T>
