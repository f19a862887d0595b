/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 uses it. */
export type Schema = Readonly<Record<string, unknown>>

export interface SchemaBook {
  /**
   * Returns the schema for the document. A schema with a `title` becomes a component, and the result is a reference to
   * the component.
   * @throws Error when a different schema has the same title
   */
  take(schema: object): Schema
  /** The components of the document, by title: all schemas with a title that `take` has received. */
  named: ReadonlyMap<string, Schema>
}

/**
 * Makes a translator from the schemas of routes to the schemas of the document. Keywords that only Elysia reads are
 * removed, and a union of constant texts becomes an `enum`.
 */
export function createSchemaBook(): SchemaBook {
  const named = new Map<string, Schema>()

  function take(schema: object): Schema {
    const { title, ...plain } = translate(schema as Schema)
    if (typeof title !== 'string') return plain
    const known = named.get(title)
    if (known !== undefined && !Bun.deepEquals(known, plain)) throw new Error(`Two schemas have the title ${title}`)
    named.set(title, plain)
    return { $ref: `#/components/schemas/${title}` }
  }

  /**
   * Translates the schema of a member. A member without a title keeps its examples, because the document has no other
   * place for them.
   */
  function takeMember(schema: Schema): Schema {
    const { title, examples } = schema
    return { ...take(schema), ...(title === undefined && examples !== undefined && { examples }) }
  }

  function translate(schema: Schema): Schema {
    const branches = schema.anyOf as Schema[] | undefined
    const chosen = branches && (textTwin(branches) ?? enumeration(branches))
    if (chosen) return translate({ ...chosen, ...schema, anyOf: chosen.anyOf })
    const entries = Object.entries(schema).filter(([keyword, value]) => belongs(keyword, value))
    return Object.fromEntries(entries.map(([keyword, value]) => translateKeyword(keyword, value)))
  }

  function translateKeyword(keyword: string, value: unknown): [string, unknown] {
    if (keyword === 'properties') return [keyword, mapValues(value as Record<string, Schema>, takeMember)]
    if (keyword === 'anyOf' || keyword === 'oneOf' || keyword === 'allOf')
      return [keyword, (value as object[]).map(take)]
    // TypeBox writes the schema of a record as a pattern that matches every name.
    if (keyword === 'patternProperties') return ['additionalProperties', take(Object.values(value as object)[0])]
    if ((keyword === 'items' || keyword === 'additionalProperties') && typeof value === 'object' && value !== null)
      return [keyword, take(value)]
    return [keyword, value]
  }

  return { take, named }
}

/**
 * Returns true when the document keeps a keyword. `additionalProperties: false` is removed, because Elysia drops
 * unknown members instead of refusing them. `examples` is removed, because the document has an example beside the
 * schema. The other removed keywords have a meaning only for Elysia and `operation.ts`.
 */
function belongs(keyword: string, value: unknown): boolean {
  if (value === undefined || keyword.startsWith('x-')) return false
  if (keyword === 'additionalProperties') return value !== false
  return !['$id', 'error', 'nullable', 'examples', 'contentMediaType'].includes(keyword)
}

/**
 * Elysia accepts a number, a boolean, an object or an array in a query as text too, and writes an `anyOf` with a branch
 * for the text. This function returns the other branch; undefined for any other `anyOf`.
 */
const textTwin = (branches: readonly Schema[]): Schema | undefined => {
  const values = branches.filter(({ type, format }) => type !== 'string' || !elysiaFormats.has(format))
  return values.length === 1 && values.length < branches.length ? values[0] : undefined
}

const elysiaFormats = new Set<unknown>(['integer', 'numeric', 'boolean', 'ObjectString', 'ArrayString'])

const enumeration = (branches: readonly Schema[]): Schema | undefined =>
  branches.length > 0 && branches.every((branch) => 'const' in branch && branch.type === 'string')
    ? { type: 'string', enum: branches.map((branch) => branch.const) }
    : undefined

/**
 * Returns an example of a schema: its own first example, constant or enum value, or an example that is built from the
 * examples of its parts.
 * @returns undefined when the schema has no example, or when a required part has none
 */
export function exampleOf(schema: Schema): unknown {
  if (Array.isArray(schema.examples)) return schema.examples[0]
  if ('const' in schema) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map(exampleOf).find((example) => example !== undefined)
  if (schema.type === 'array') {
    const item = exampleOf((schema.items ?? {}) as Schema)
    return item === undefined ? undefined : [item]
  }
  if (schema.type !== 'object' || !schema.properties) return undefined
  const members = mapValues(schema.properties as Record<string, Schema>, exampleOf)
  const required = (schema.required ?? []) as string[]
  if (required.some((name) => members[name] === undefined)) return undefined
  return Object.fromEntries(Object.entries(members).filter(([, example]) => example !== undefined))
}

export const mapValues = <From, To>(
  record: Record<string, From>,
  change: (value: From, name: string) => To,
): Record<string, To> => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]))
