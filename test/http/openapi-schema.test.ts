import { describe, expect, test } from 'bun:test'
import { t } from 'elysia'
import { createSchemaBook, exampleOf, type Schema } from '../../src/http/openapi/schema.ts'

const taken = (schema: object) => createSchemaBook().take(schema)

describe('a schema of the document', () => {
  test('drops keywords of Elysia and keeps properties with those names', () => {
    expect(taken(t.String({ $id: 'name', error: 'Wrong', examples: ['a'], 'x-codes': [], minLength: 1 }))).toEqual({
      type: 'string',
      minLength: 1,
    })
    expect(taken(t.Object({ error: t.String(), examples: t.Boolean() }, { additionalProperties: false }))).toEqual({
      type: 'object',
      required: ['error', 'examples'],
      properties: { error: { type: 'string' }, examples: { type: 'boolean' } },
    })
  })

  test('keeps the examples of a member, but not beside a reference', () => {
    const name = t.String({ examples: ['ada'] })
    const user = t.Object({ name }, { title: 'User', examples: [{ name: 'grace' }] })
    expect(taken(t.Object({ name, user }, { examples: [{}] }))).toEqual({
      type: 'object',
      required: ['name', 'user'],
      properties: { name: { type: 'string', examples: ['ada'] }, user: { $ref: '#/components/schemas/User' } },
    })
  })

  test('writes a union of constants as an enum', () => {
    expect(taken(t.Union([t.Literal('asc'), t.Literal('desc')], { description: 'Order' }))).toEqual({
      type: 'string',
      enum: ['asc', 'desc'],
      description: 'Order',
    })
    const nullable = t.Union([t.String(), t.Null()])
    expect(taken(nullable)).toEqual({ anyOf: [{ type: 'string' }, { type: 'null' }] })
  })

  test('writes the numbers and booleans of a query as such', () => {
    expect(taken(t.Numeric({ minimum: 1 }))).toMatchObject({ type: 'number', minimum: 1 })
    expect(taken(t.Object({ limit: t.Optional(t.BooleanString()) }))).toMatchObject({
      properties: { limit: { type: 'boolean' } },
    })
  })

  test('writes a record as additionalProperties', () => {
    expect(taken(t.Record(t.String(), t.Integer()))).toEqual({
      type: 'object',
      additionalProperties: { type: 'integer' },
    })
  })

  test('is referenced by its title everywhere', () => {
    const book = createSchemaBook()
    const user = t.Object({ id: t.Integer() }, { title: 'User' })
    expect(book.take(t.Array(user))).toEqual({ type: 'array', items: { $ref: '#/components/schemas/User' } })
    expect(book.take({ ...user, examples: [{ id: 1 }] })).toEqual({ $ref: '#/components/schemas/User' })
    expect([...book.named.keys()]).toEqual(['User'])
    expect(() => book.take(t.String({ title: 'User' }))).toThrow('Two schemas have the title User')
  })
})

describe('an example', () => {
  const example = (schema: object) => exampleOf(schema as Schema)

  test('is the first one in the schema', () => {
    expect(example(t.String({ examples: ['a', 'b'] }))).toBe('a')
    expect(example(t.Literal('bearer'))).toBe('bearer')
    expect(example(t.Union([t.String(), t.Literal('x')]))).toBe('x')
  })

  test('is composed of the examples of the properties', () => {
    const item = t.Object({ id: t.Integer({ examples: [7] }), note: t.Optional(t.String()) })
    expect(example(t.Object({ items: t.Array(item), next_cursor: t.String({ examples: ['abc'] }) }))).toEqual({
      items: [{ id: 7 }],
      next_cursor: 'abc',
    })
  })

  test('is missing if a required property has none', () => {
    expect(example(t.Object({ id: t.Integer(), name: t.String({ examples: ['a'] }) }))).toBeUndefined()
    expect(example(t.Array(t.String()))).toBeUndefined()
  })
})
