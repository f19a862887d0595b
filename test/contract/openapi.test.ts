import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import manifest from '../../package.json' with { type: 'json' }
import { catalogue, type ErrorCode } from '../../src/errors.ts'
import { createDocument } from '../../src/http/openapi/document.ts'
import type { Route } from '../../src/http/route-table.ts'
import { createTestApp, type TestApp } from '../support/app.ts'

interface Operation {
  operationId: string
  summary?: string
  description?: string
  deprecated?: boolean
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { $ref: string } | Answer>
}

interface Parameter {
  name: string
  in: string
  required?: boolean
  example?: unknown
  schema: { examples?: unknown[] }
}

interface Answer {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, Media>
}

interface Media {
  schema: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

interface FormSchema {
  $ref?: string
  properties: Record<string, { examples?: unknown[] }>
}

interface Document {
  openapi: string
  info: { version: string; description: string }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    securitySchemes: Record<string, { type: string; flows?: { password: { tokenUrl: string } } }>
    responses: Record<string, Answer>
    schemas: Record<string, FormSchema>
    headers: Record<string, { example: string }>
  }
}

const metricsToken = 'a-token-for-the-metrics'
const publicUrl = 'https://auth.keyward.test/accounts'

let app: TestApp
let text: string
let document: Document

/** A page that everybody may read refuses nobody; refusals are tested below. */
const rules = { 'operation-4xx-response': 'off' } as const

beforeAll(async () => {
  app = await createTestApp({
    env: { PUBLIC_URL: publicUrl, METRICS_TOKEN: metricsToken, RATE_LIMIT: 'off' },
  })
  text = await (await app.request('GET', '/openapi.json')).text()
  document = JSON.parse(text)
})
afterAll(() => app.close())

/** Every operation with a name for the failure message. */
const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      route: app.table.find(method.toUpperCase(), path.replace(/\{\w+\}/g, 'x'))!,
      operation,
    })),
  )

/** The documentation and the pages are not operations of a client. */
const documented = () =>
  app.table.routes.filter(
    ({ method, pattern, page }) =>
      (!page || forApplications.includes(`${method} ${pattern}`)) && !/^\/$|^\/docs|^\/openapi\.json$/.test(pattern),
  )
/** The pages to which applications send a browser. */
const forApplications = ['GET /authorize', 'GET /end-session']

/** The names of the operations that fail a check. */
const without = (holds: (one: ReturnType<typeof operations>[number]) => boolean) =>
  operations()
    .filter((one) => !holds(one))
    .map(({ name }) => name)

const answersOf = ({ responses }: Operation): [status: string, answer: Answer][] =>
  Object.entries(responses).map(([status, answer]) => [
    status,
    '$ref' in answer ? document.components.responses[answer.$ref.replace('#/components/responses/', '')]! : answer,
  ])

/** Every body and every answer, each with its place. */
const mediaOf = (operation: Operation): { where: string; media: Media }[] => [
  ...Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => ({ where: `takes ${type}`, media })),
  ...answersOf(operation).flatMap(([status, { content = {} }]) =>
    Object.entries(content).map(([type, media]) => ({ where: `answers ${status} ${type}`, media })),
  ),
]

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(text))
    expect(errors ?? []).toEqual([])
    expect(valid).toBe(true)
  })

  test('passes the linter, and every example matches its schema', async () => {
    const config = await createConfig({ extends: ['recommended-strict'], rules })
    const problems = await lintFromString({ source: text, absoluteRef: '/openapi.json', config })
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`)).toEqual(
      [],
    )
  })

  test('says where to read what was created, if a route reads it', () => {
    const isRead = (path: string) => operations().some(({ name }) => name.startsWith(`GET ${path}/{`))
    const creating = operations().filter(({ operation: { responses } }) => '201' in responses)
    expect(creating.map(({ name }) => name)).toContain('POST /admin/roles')
    const silent = creating.filter(({ name, operation: { responses } }) => {
      const { headers = {} } = responses['201'] as Answer
      return isRead(name.slice('POST '.length)) && !('Location' in headers)
    })
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  test('lists every route except the documentation and the pages', () => {
    const routes = documented().map(({ method, pattern }) => `${method} ${pattern.replace(/:(\w+)/g, '{$1}')}`)
    expect(
      operations()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(routes.sort())
    expect(routes.length).toBeGreaterThan(6)
  })

  test('describes every operation and gives it a tag', () => {
    expect(without(({ operation }) => /^[A-Z].*[^.]$/.test(operation.summary ?? ''))).toEqual([])
    expect(without(({ operation }) => operation.tags.length === 1)).toEqual([])
    const used = new Set(operations().flatMap(({ operation }) => operation.tags))
    expect(document.tags.map(({ name }) => name).sort()).toEqual([...used].sort())
    expect(document.tags.every(({ description }) => description.length > 0)).toBe(true)
  })

  test('gives every operation a unique id that reads like a function name', () => {
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(without(({ operation }) => /^[a-z]+([A-Z][a-z]+)*$/.test(operation.operationId))).toEqual([])
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining(['login', 'register', 'getMe', 'listSessions', 'refreshTokens']))
  })

  test('cannot be built with a route without an id', async () => {
    for (const detail of [undefined, {}, { summary: 'X' }]) {
      const routes = [{ method: 'GET', path: '/x', hooks: { detail } }]
      await expect(createDocument({ routes, publicUrl })).rejects.toThrow('/x has no operationId')
    }
  })

  test('cannot be built with a route that does not describe its answer', async () => {
    const hooks = { detail: { operationId: 'x', 'x-access': 'open' }, response: { 200: { type: 'string' } } }
    const routes = [{ method: 'GET', path: '/x', hooks }]
    await expect(createDocument({ routes, publicUrl })).rejects.toThrow('/x does not describe its answer 200')
  })

  test('names components like types, with short names', () => {
    const { schemas, responses } = document.components
    const names = [...Object.keys(schemas), ...Object.keys(responses)]
    expect(names.length).toBeGreaterThan(20)
    for (const name of names) expect(name).toMatch(/^(?=.{3,60}$)(?:[A-Z][a-z]*)+$/)
  })

  test('puts the compatibility routes last, under their own tag, deprecated', () => {
    expect(document.tags[0]?.name).toBe('tokens')
    expect(document.tags.at(-1)?.name).toBe('compatibility')
    expect(
      operations()
        .filter(({ operation }) => operation.deprecated)
        .map(({ name, operation }) => [name, ...operation.tags]),
    ).toEqual([
      ['POST /user/token', 'compatibility'],
      ['GET /user/user', 'compatibility'],
    ])
  })

  test('lists a security scheme exactly where a credential is required', () => {
    const asked = [{ password: [] }, { bearer: [] }].map((one) => JSON.stringify(one)).sort()
    expect(
      without(({ route, operation }) => {
        const offered = operation.security.map((one) => JSON.stringify(one)).sort()
        const own = { '/metrics': [{ metricsToken: [] }], '/introspect': [{ bearer: [] }, { clientSecret: [] }] }[
          route.pattern
        ]
        if (own) return Bun.deepEquals(operation.security, own)
        return Bun.deepEquals(offered, route.access === 'open' ? [] : asked)
      }),
    ).toEqual([])
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      password: { type: 'oauth2', flows: { password: { tokenUrl: `${publicUrl}/token` } } },
    })
  })

  test('has an example of every body, answer and parameter, and one to fill in where it is required', () => {
    const hasExample = ({ example, examples }: Media) => example !== undefined || examples !== undefined
    const missing = operations().flatMap(({ name, operation }) => [
      ...mediaOf(operation)
        .filter(({ media }) => !hasExample(media))
        .map(({ where }) => `${name} ${where}`),
      ...(operation.parameters ?? [])
        .filter(({ required, example, schema }) => (required ? !example : example || !schema.examples))
        .map((parameter) => `${name} ${parameter.in} ${parameter.name}`),
    ])
    expect(missing).toEqual([])
  })

  test('has an example of every form field, or leaves it empty', () => {
    const forms = operations().flatMap(({ name, operation }) => {
      const media = operation.requestBody?.content['application/x-www-form-urlencoded']
      return media ? [{ name, media }] : []
    })
    expect(forms.length).toBeGreaterThan(2)
    for (const { name, media } of forms) {
      const { $ref, ...own } = media.schema as FormSchema
      const { properties } = $ref === undefined ? own : document.components.schemas[$ref.split('/').at(-1)!]!
      const filled = Object.entries(properties).map(([field, { examples }]) => [field, examples?.[0]])
      expect([name, filled]).toEqual([name, filled.filter(([, example]) => typeof example === 'string')])
      const given = Object.fromEntries(filled.filter(([, example]) => example !== ''))
      expect([name, given]).toEqual([name, media.example as object])
    }
  })

  test('lists every refusal of every operation', () => {
    const expected = (route: Route, { requestBody }: Operation) => [
      ...(route.access === 'open' ? [] : ['401']),
      ...(route.access.includes(':') ? ['403'] : []),
      ...(requestBody ? ['400', '413', '415'] : []),
      '500',
    ]
    expect(
      without(({ route, operation }) => expected(route, operation).every((status) => status in operation.responses)),
    ).toEqual([])
    // RFC 6749 has no 422: there a bad parameter is 400.
    const told = ({ oauth }: Route, status: number) => String(oauth && status === 422 ? 400 : status)
    expect(
      without(({ route, operation }) => route.statuses.every((status) => told(route, status) in operation.responses)),
    ).toEqual([])
  })

  test('shows refusals with their real type, status, code and headers', async () => {
    const refusals = Object.values(document.components.responses).flatMap(({ content, headers }) =>
      Object.values(content ?? {})
        .flatMap(({ examples = {} }) => Object.values(examples))
        .map(({ value }) => ({ value, headers })),
    )
    expect(refusals.length).toBeGreaterThan(10)
    for (const { value, headers } of refusals) {
      const { code, status } = value as { code: ErrorCode; status: number }
      expect(Object.keys(catalogue)).toContain(code)
      expect(document.info.description).toContain('X-Request-Id')
      if (status === 401) expect(Object.keys(headers ?? {})).toContain('WWW-Authenticate')
      if (status === 429) expect(Object.keys(headers ?? {})).toContain('RateLimit-Policy')
      if (status === 429 || status === 503) expect(Object.keys(headers ?? {})).toContain('Retry-After')
    }
    const told = document.components.responses.OAuthInvalidCredentialsOrInvalidClientOrPasskey!
    const answer = await app.request('POST', '/token', { form: { username: 'nobody', password: 'wrong' } })
    expect(await answer.json()).toEqual(
      told.content!['application/json']!.examples!.invalid_credentials!.value as object,
    )
    for (const header of ['www-authenticate', 'x-request-id']) expect(answer.headers.has(header)).toBe(true)
  })

  test('shows the rate limit headers of a mistyped password', async () => {
    const limited = await createTestApp({ env: { RATE_LIMIT: 'on' } })
    const { username } = await limited.signUp()
    const mistype = () => limited.request('POST', '/token', { form: { username, password: 'wrong' } })
    for (let i = 0; i < 3; i++) expect((await mistype()).status).toBe(401)
    const { status, headers } = await mistype()
    expect(status).toBe(429)
    for (const name of ['RateLimit', 'RateLimit-Policy'])
      expect([name, headers.get(name)]).toEqual([name, document.components.headers[name]!.example])
    await limited.close()
  })

  test('lists exactly the media types that are accepted', async () => {
    let ada = await app.signUp()
    const bodies: Record<string, string> = {
      'application/json': '{}',
      'application/x-www-form-urlencoded': 'nothing=',
      'multipart/form-data; boundary=x': '--x--',
      'text/plain': '{}',
    }
    for (const { name, route, operation } of operations()) {
      if (!operation.requestBody || route.access.includes(':')) continue
      const taken: string[] = []
      for (const [type, body] of Object.entries(bodies)) {
        const path = name.split(' ')[1]!.replace(/\{\w+\}/g, 'x')
        // One of the routes deletes the account.
        if ((await app.rows.users.count({ id: ada.id })) === 0) ada = await app.signUp(`ada${Bun.nanoseconds()}`)
        const answer = await app.request(route.method, path, { body, type, token: ada.grant.access_token })
        if (answer.status !== 415) taken.push(type.split(';')[0]!)
      }
      expect([name, ...Object.keys(operation.requestBody.content).sort()]).toEqual([name, ...taken.sort()])
    }
  })

  test('lists the media types of the answers', async () => {
    const { grant } = await app.signUp('grace')
    for (const { name, route, operation } of operations()) {
      if (route.method !== 'GET' || name.includes('{') || !('200' in operation.responses)) continue
      const token = route.pattern === '/metrics' ? metricsToken : grant.access_token
      const answer = await app.request('GET', route.pattern, { token })
      if (answer.status !== 200) continue
      const type = answer.headers.get('content-type')?.split(';')[0]
      const [, told] = answersOf(operation).find(([status]) => status === '200')!
      expect([name, ...Object.keys(told.content ?? {})]).toEqual([name, ...(type === undefined ? [] : [type])])
      for (const header of Object.keys(told.headers ?? {}))
        expect([name, header, answer.headers.has(header)]).toEqual([name, header, true])
    }
  })

  test('contains nothing that only Elysia understands', () => {
    expect(text).not.toMatch(/"(\$id|x-[a-z]+|nullable|contentMediaType)":|"text\/plain":\{"schema":\{"\$ref/)
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toMatchObject({ title: 'Keyward', version: manifest.version })
    expect(document.servers).toEqual([{ url: publicUrl }])
  })
})
