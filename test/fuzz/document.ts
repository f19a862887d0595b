import Schema from 'typebox/schema'

/** One operation of `/openapi.json`, with its references resolved. */
export interface Operation {
  method: string
  /** With `{name}` for parameters. */
  path: string
  description: string
  parameters: readonly { name: string; in: string; example: unknown }[]
  /** By media type, in the order of the document. */
  bodies: readonly { type: string; members: readonly Member[] }[]
  answers: ReadonlyMap<number, DeclaredAnswer>
}

export interface Member {
  name: string
  required: boolean
  example: unknown
}

export interface DeclaredAnswer {
  /** `undefined` for an answer without a body. */
  type: string | undefined
  /** The error codes that it may have. */
  codes: readonly string[]
  /** The violations of the schema in a body. */
  complaints(body: unknown): string[]
}

export interface ApiDocument {
  operations: readonly Operation[]
  /** For answers outside every operation: 404 and 405. */
  problem: DeclaredAnswer
  /** All text of the document: repeating it is not an echo. */
  text: string
}

interface RawAnswer {
  content?: Record<string, { schema: object; examples?: Record<string, unknown> }>
}

interface RawOperation {
  description?: string
  parameters?: { name: string; in: string; example?: unknown; schema: { examples?: unknown[] } }[]
  requestBody?: { content: Record<string, { schema: JsonSchema; example?: Record<string, unknown> }> }
  responses: Record<string, RawAnswer & { $ref?: string }>
}

interface JsonSchema {
  $ref?: string
  properties?: Record<string, object>
  required?: string[]
}

interface RawDocument {
  paths: Record<string, Record<string, RawOperation>>
  components: { schemas: Record<string, JsonSchema>; responses: Record<string, RawAnswer> }
}

/** Reads the document like a client that generates its requests and checks its answers. */
export function readDocument(text: string): ApiDocument {
  const { paths, components } = JSON.parse(text) as RawDocument
  // References in a schema are resolved within the schema itself.
  const compile = (schema: object) => Schema.Compile({ ...schema, components: { schemas: components.schemas } })
  const resolved = (schema: JsonSchema): JsonSchema =>
    schema.$ref === undefined ? schema : components.schemas[nameOf(schema.$ref)]!

  const answerOf = (raw: RawAnswer & { $ref?: string }): DeclaredAnswer => {
    const { content = {} } = raw.$ref === undefined ? raw : components.responses[nameOf(raw.$ref)]!
    const [entry] = Object.entries(content)
    if (!entry) return { type: undefined, codes: [], complaints: () => [] }
    const [type, { schema, examples = {} }] = entry
    return { type, codes: Object.keys(examples), complaints: complaintsOf(compile(schema)) }
  }

  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { description = '', parameters = [], requestBody, responses }]): Operation => ({
        method: method.toUpperCase(),
        path,
        description,
        parameters: parameters.map(({ name, in: place, example, schema }) => ({
          name,
          in: place,
          example: example ?? schema.examples?.[0],
        })),
        bodies: Object.entries(requestBody?.content ?? {}).map(([type, { schema, example }]) => ({
          type,
          members: membersOf(resolved(schema), example ?? {}),
        })),
        answers: new Map(Object.entries(responses).map(([status, answer]) => [Number(status), answerOf(answer)])),
      }),
    ),
  )
  const problem = complaintsOf(compile({ $ref: '#/components/schemas/Problem' }))
  return {
    operations: [...operations, ...pages(problem)],
    problem: { type: problemType, codes: ['not_found', 'method_not_allowed'], complaints: problem },
    text,
  }
}

/** The routes of the documentation, which the document leaves out. */
const pages = (complaints: DeclaredAnswer['complaints']): Operation[] => {
  const page = (path: string, type: string, example?: string): Operation => ({
    method: 'GET',
    path,
    description: '',
    parameters: example === undefined ? [] : [{ name: /\{(\w+)\}/.exec(path)![1]!, in: 'path', example }],
    bodies: [],
    answers: new Map<number, DeclaredAnswer>([
      [200, { type, codes: [], complaints: () => [] }],
      [304, { type: undefined, codes: [], complaints: () => [] }],
      ...(example === undefined ? [] : [[404, { type: problemType, codes: ['not_found'], complaints }] as const]),
    ]),
  })
  const start: Operation = {
    ...page('/', 'text/html'),
    // A browser is sent to its account; others find nothing.
    answers: new Map<number, DeclaredAnswer>([
      [303, { type: undefined, codes: [], complaints: () => [] }],
      [404, { type: problemType, codes: ['not_found'], complaints }],
    ]),
  }
  return [
    start,
    page('/docs', 'text/html'),
    page('/docs/{file}', 'text/javascript', 'page.js'),
    page('/docs/guide/', 'text/html'),
    page('/docs/guide/{chapter}', 'text/html', 'sessions'),
    page('/openapi.json', 'application/json'),
  ]
}

const problemType = 'application/problem+json'

const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1)

const membersOf = ({ properties = {}, required = [] }: JsonSchema, example: Record<string, unknown>): Member[] =>
  Object.keys(properties).map((name) => ({ name, required: required.includes(name), example: example[name] }))

const complaintsOf =
  (validator: ReturnType<typeof Schema.Compile>) =>
  (body: unknown): string[] => {
    if (validator.Check(body)) return []
    const [, errors] = validator.Errors(body)
    return errors.map(({ instancePath, message }) => `${instancePath || 'the body'} ${message}`)
  }
