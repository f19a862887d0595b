import fc from 'fast-check'
import type { Operation } from './document.ts'
import { intruders, json, live, mangled, meant, text } from './values.ts'

/** A request with placeholders: `{{…}}` stands for a value that only a running service has. */
export interface PlannedRequest {
  method: string
  /** Includes the query. */
  target: string
  headers: readonly (readonly [name: string, value: string])[]
  body: string | Uint8Array | undefined
  /** The address of the client. */
  peer: string
}

/** Requests for the routes of the document: valid, nearly valid, and unrelated ones. */
export function requestsFor(operations: readonly Operation[]): fc.Arbitrary<PlannedRequest> {
  // Operations with more effects get more requests.
  const weightOf = ({ path, bodies }: Operation) => {
    if (path.startsWith('/docs') || path === '/openapi.json') return 1
    // Few generated registrations are valid, because each member has to be.
    return path === '/register' ? 60 : (bodies.length * 6 + 3) * (path.startsWith('/admin/') ? 2 : 1)
  }
  const weighted = operations.map((operation) => ({ weight: weightOf(operation), arbitrary: fc.constant(operation) }))
  return fc.oneof(...weighted).chain((operation) =>
    fc
      .record({
        method: method(operation),
        path: path(operation),
        query: query(operation),
        authorization: authorization(operation),
        body: body(operation),
        headers: fc.oneof(
          { weight: 2, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(header, { maxLength: 4 }) },
        ),
        peer: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8:0:1::2', '::ffff:192.0.2.3'),
      })
      .map(({ method, path, query, authorization, body, headers, peer }) => ({
        method,
        target: path + query,
        headers: [...authorization, ...body.headers, ...headers],
        body: body.content,
        peer,
      })),
  )
}

const method = (operation: Operation) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(operation.method) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get', 'X-Y'),
    },
  )

/** Escapes characters that a target cannot hold; keeps `%` and anything that looks like an escape. */
const inTarget = (value: string): string =>
  encodeURIComponent(value.toWellFormed()).replace(/%7B|%7D|%25|%5E|%3C|%3E/g, decodeURIComponent)

const path = (operation: Operation) => {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  const values = fc.tuple(...names.map((name) => parameterValue(name, operation)))
  const filled = values.map((given) =>
    names.reduce((at, name, i) => at.replace(`{${name}}`, () => given[i]!), operation.path),
  )
  const respelled = filled.chain((whole) =>
    fc.constantFrom(
      `/${whole}`,
      `${whole}/`,
      `${whole}//`,
      `/.${whole}`,
      whole.toUpperCase(),
      `${whole};a=b`,
      `${whole}%00`,
      whole.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
      `${whole}.json`,
      whole.replaceAll('/', '//'),
      `/${whole.slice(1).replaceAll('/', '%2f')}`,
      `/x/..${whole}`,
      `${whole}#part`,
    ),
  )
  return fc.oneof(
    { weight: 20, arbitrary: filled },
    { weight: 1, arbitrary: respelled },
    { weight: 1, arbitrary: text.map((any) => `/${inTarget(any)}`) },
  )
}

const parameterValue = (name: string, { parameters }: Operation): fc.Arbitrary<string> => {
  const example = parameters.find((one) => one.name === name)?.example
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...(meant[name] ?? [example]).map(String)) },
    { weight: 1, arbitrary: fc.constant(String(example)) },
    { weight: 2, arbitrary: text.map(inTarget) },
  )
}

const query = (operation: Operation) => {
  const known = operation.parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const pair = (name: fc.Arbitrary<string>) => fc.tuple(name, fc.option(text.map(inTarget))).map(joined)
  const named = known.map((name) => parameterValue(name, operation).map((value) => `${name}=${value}`))
  const pieces = fc.oneof(
    ...named.map((arbitrary) => ({ weight: 6, arbitrary })),
    { weight: 1, arbitrary: pair(fc.constantFrom('access_token', 'username', 'except', 'role', '__proto__', 'token')) },
    { weight: 1, arbitrary: pair(text.map(inTarget)) },
  )
  return fc.oneof(
    { weight: known.length > 0 ? 1 : 6, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: fc.array(pieces, { minLength: 1, maxLength: 3 }).map((all) => `?${all.join('&')}`) },
  )
}

const joined = ([name, value]: [string, string | null]): string => (value === null ? name : `${name}=${value}`)

type Headers = (readonly [string, string])[]

/** The credentials of routes that an access token of a user does not open, by the beginning of the path. */
const others = [
  ['/metrics', '{{metrics_token}}'],
  ['/introspect', '{{api_key}}'],
  ['/admin/', '{{admin_token}}'],
] as const

const authorization = ({ path, answers }: Operation): fc.Arbitrary<Headers> => {
  const bearer = (value: fc.Arbitrary<string>) => value.map((token): Headers => [['authorization', `Bearer ${token}`]])
  const fitting = others.find(([beginning]) => path.startsWith(beginning))?.[1] ?? '{{access_token}}'
  const needed = answers.has(401) && !path.startsWith('/token') && path !== '/revoke' && path !== '/user/token'
  return fc.oneof(
    { weight: needed ? 8 : 1, arbitrary: bearer(fc.constant(fitting)) },
    { weight: needed ? 1 : 6, arbitrary: fc.constant<Headers>([]) },
    { weight: 2, arbitrary: bearer(live) },
    { weight: 1, arbitrary: bearer(mangled) },
    { weight: 1, arbitrary: bearer(text) },
    {
      weight: 1,
      arbitrary: fc
        .oneof(
          fc.constantFrom('Basic Og==', 'Basic YTpi', 'Basic', 'Bearer', 'bearer {{access_token}}', 'Bearer  x'),
          text,
        )
        .map((value): Headers => [['authorization', value]]),
    },
  )
}

interface Body {
  headers: Headers
  content: string | Uint8Array | undefined
}

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

const body = (operation: Operation): fc.Arbitrary<Body> => {
  const none = fc.constant<Body>({ headers: [], content: undefined })
  const other = fc.oneof(json.map(toJson), text, fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...brokenJson))
  const anything = fc.tuple(contentType(JSON_TYPE), other).map(toBody)
  if (operation.bodies.length === 0) return fc.oneof({ weight: 8, arbitrary: none }, { weight: 1, arbitrary: anything })
  const fitting = fc.constantFrom(...operation.bodies).chain(({ type, members }) => {
    const written = fc
      .tuple(...members.map((one) => member(one)))
      .chain((fixed) => fc.tuple(fc.constant(fixed), extra).map(([some, more]) => [...some, ...more].flat()))
      .map((entries) => (type === FORM_TYPE ? toForm(entries) : toJson(Object.fromEntries(entries))))
    const touched = fc.oneof({ weight: 9, arbitrary: written }, { weight: 1, arbitrary: written.chain(damaged) })
    return fc.tuple(contentType(type), touched).map(toBody)
  })
  return fc.oneof(
    { weight: 16, arbitrary: fitting },
    { weight: 2, arbitrary: anything },
    { weight: 1, arbitrary: none },
  )
}

type Entry = [name: string, value: unknown]

const member = ({ name, required, example }: Operation['bodies'][number]['members'][number]): fc.Arbitrary<Entry[]> => {
  const right = fc.constantFrom<unknown>(...(meant[name] ?? []), ...(example === undefined ? [] : [example]), '')
  return fc.oneof(
    { weight: 12, arbitrary: right.map((value): Entry[] => [[name, value]]) },
    { weight: 3, arbitrary: text.map((value): Entry[] => [[name, value]]) },
    { weight: 1, arbitrary: json.map((value): Entry[] => [[name, value]]) },
    { weight: required ? 1 : 12, arbitrary: fc.constant<Entry[]>([]) },
  )
}

const extra: fc.Arbitrary<Entry[][]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Entry[][]>([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.tuple(intruders, json).map((entry): Entry[] => [entry]),
      { maxLength: 3 },
    ),
  },
)

const damaged = (whole: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.nat({ max: whole.length }),
      fc.constantFrom('', '\0', '"', '{', '}', ',', '&', '=', '%', '%zz', '\\', '\ufeff'),
    )
    .chain(([at, put]) =>
      fc.constantFrom(
        whole.slice(0, at) + put + whole.slice(at),
        whole.slice(0, at) + put,
        whole + put + whole,
        whole.replace('{', '{"username":"twice",'),
        `\ufeff${whole}`,
        whole + ' '.repeat(64 * 1024),
      ),
    )

const brokenJson = [
  '[',
  '{"a":',
  '{"a":1,"a":2}',
  '{"a":1e400}',
  '{"__proto__":{"is_admin":true}}',
  '"\\ud800"',
  '[]',
  'null',
  `${'['.repeat(30_000)}`,
  `{"a":${'['.repeat(500)}${']'.repeat(500)}}`,
  `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
  `a=1&${'b=2&'.repeat(15_000)}`,
]

const contentType = (right: string): fc.Arbitrary<Headers> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant<Headers>([['content-type', right]]) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(`${right}; charset=utf-8`, right.toUpperCase(), ` ${right} ;x="y"`, JSON_TYPE, FORM_TYPE)
        .map((type): Headers => [['content-type', type]]),
    },
    {
      weight: 1,
      arbitrary: fc
        .oneof(
          fc.constantFrom('text/plain', 'multipart/form-data; boundary=x', `${right}; charset=utf-16`, '*/*'),
          text,
        )
        .map((type): Headers => [['content-type', type]]),
    },
    { weight: 1, arbitrary: fc.constant<Headers>([]) },
  )

const header: fc.Arbitrary<readonly [string, string]> = fc.tuple(
  fc.constantFrom(
    'accept',
    'accept-encoding',
    'accept-language',
    'access-control-request-method',
    'content-encoding',
    'content-length',
    'content-type',
    'cookie',
    'expect',
    'forwarded',
    'host',
    'if-none-match',
    'origin',
    'range',
    'user-agent',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-http-method-override',
    'x-original-url',
    'x-real-ip',
    'x-request-id',
  ),
  fc.oneof(
    text,
    fc.constantFrom('gzip', '*', '0', '-1', '99999999999', 'DELETE', 'null', 'https://app.keyward.test', '127.0.0.1'),
    fc.constantFrom('192.0.2.77, 10.0.0.1', '{{access_token}}', 'access_token={{access_token}}', '"x", *', 'identity'),
  ),
)

const toBody = ([headers, content]: [Headers, string | Uint8Array]): Body => ({ headers, content })
const toJson = (value: unknown): string => JSON.stringify(value) ?? 'null'
const toForm = (entries: Entry[]): string =>
  entries
    .map(([name, value]) => `${inTarget(name)}=${inTarget(typeof value === 'string' ? value : toJson(value))}`)
    .join('&')

/** A header can hold printable ASCII, tabs and the upper half of Latin-1. */
export const headerText = (value: string): string => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim()
