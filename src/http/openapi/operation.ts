import { catalogue, type ErrorCode } from '../../errors.ts'
import { form, mediaTypesOf } from '../parsers.ts'
import { OAuthProblem, Problem } from '../schemas.ts'
import { headersOf } from './headers.ts'
import { guardCodes, type ProblemExample, problemExample } from './problems.ts'
import { exampleOf, type Schema, type SchemaBook } from './schema.ts'

/** A route as Elysia lists it, as far as the document looks. */
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

/** What a document and its operations share. */
export interface Components {
  schemas: SchemaBook
  responses: Map<string, unknown>
  /** Of parameters, by name, where the route itself has none. */
  examples: Record<string, unknown>
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
  operationId: string
}

/**
 * Makes an operation true: the media types that its parser takes and its answers have, both security schemes, every
 * refusal with what it really answers, and examples.
 */
export async function mendOperation({ hooks, path }: DocumentedRoute, draft: Draft, components: Components) {
  const { access, oauth } = wordsOf(hooks)
  const { summary, tags, description, deprecated } = draft
  const parameters = draft.parameters?.map((parameter) => mendParameter(parameter, components))
  return defined({
    operationId: (hooks.detail?.operationId as string | undefined) ?? identifier(draft.operationId),
    summary,
    description: [description, access.includes(':') ? `Needs the permission \`${access}\`.` : undefined]
      .filter(Boolean)
      .join('\n\n'),
    tags,
    deprecated,
    security: securityOf(access),
    parameters: parameters?.length ? parameters : undefined,
    requestBody: hooks.body && requestBody(path, hooks.body, hooks.parse, components),
    responses: { ...successes(hooks, components), ...(await refusals(hooks, access, oauth, components)) },
  })
}

/** The metrics have a credential of their own; for all else a token is good, whichever way it was got. */
const securityOf = (access: string): Record<string, string[]>[] => {
  if (access === 'open') return []
  return access === 'metrics' ? [{ metrics: [] }] : [{ password: [] }, { bearer: [] }]
}

const wordsOf = ({ detail = {} }: RouteWords) => ({
  access: detail['x-access'] as string,
  oauth: detail['x-oauth'] === true,
})

function mendParameter(parameter: Parameter, { schemas, examples }: Components) {
  const { name, in: place, description } = parameter
  const example = parameter.example ?? parameter.examples?.[0] ?? exampleOf(parameter.schema) ?? examples[name]
  const schema = schemas.take(parameter.schema)
  if (parameter.required) return defined({ name, in: place, required: true, description, schema, example })
  // Swagger UI fills in the example of a parameter, not that of its schema, and would send what nobody asked for.
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
 * Swagger UI shows a form as fields, fills each with an example of its own and, where there is none, with the word
 * "string". What the example of the whole leaves out is left empty.
 */
function withFieldExamples(body: Schema, example: unknown): Schema {
  const values = (example ?? {}) as Record<string, unknown>
  const fields = Object.entries(body.properties as Record<string, Schema>)
  const properties = fields.map(([name, field]) => [name, { ...field, examples: [values[name] ?? ''] }])
  return { ...body, properties: Object.fromEntries(properties) }
}

/** The answers that a route declares with a schema of their own. */
function successes({ response = {} }: RouteWords, { schemas }: Components): Record<string, unknown> {
  const own = Object.entries(response).filter(([, schema]) => codesOf(schema).length === 0)
  return Object.fromEntries(
    own.map(([status, schema]) => {
      const { description, contentMediaType = 'application/json' } = schema
      const media = defined({ schema: schemas.take(schema), example: exampleOf(schema) })
      return [
        status,
        defined({
          description: description ?? phrases[Number(status)] ?? 'As asked',
          headers: headersOf(Number(status), schema['x-headers'] as Record<string, string>),
          content: empty.has(schema.type) ? undefined : { [contentMediaType as string]: media },
        }),
      ]
    }),
  )
}

const empty = new Set<unknown>(['void', 'undefined', 'null'])

const phrases: Record<number, string> = {
  200: 'Done',
  201: 'Made',
  202: 'Accepted; what follows, follows by mail',
  204: 'Done; there is nothing to say',
  304: 'What you have is still good',
}

/** The refusals of a route and of the guard before it, by the status that they really answer. */
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
      const name = `${oauth ? 'oauth.' : ''}${of.map(({ code }) => code).join('.')}`
      components.responses.set(name, problemAnswer(status, of, components.schemas.take(oauth ? OAuthProblem : Problem)))
      return [status, { $ref: `#/components/responses/${name}` }]
    }),
  )
}

const codesOf = (schema: Schema): ErrorCode[] => (schema['x-codes'] as ErrorCode[] | undefined) ?? []

const problemAnswer = (status: number, problems: readonly ProblemExample[], schema: Schema) => ({
  description: problems.map(({ code }) => `\`${code}\`: ${catalogue[code][1]}`).join('. '),
  headers: headersOf(status),
  content: {
    'application/problem+json': {
      schema,
      examples: Object.fromEntries(
        problems.map(({ code, body }) => [code, { summary: catalogue[code][1], value: body }]),
      ),
    },
  },
})

/** Safe as the name of a function: the plugin keeps the dots and dashes of a path. */
const identifier = (id: string): string => id.replace(/[^A-Za-z0-9]+(.?)/g, (_, next: string) => next.toUpperCase())

const defined = <T extends Record<string, unknown>>(record: T): Partial<T> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== '')) as Partial<T>
