import { buildRequest, type RequestOptions } from './app.ts'

/** What a client sees of an answer. */
export interface Answer {
  status: number
  headers: Record<string, string>
  /** The members of a JSON body by their path, such as `detail` or `errors.0.field`; any other text as `text`. */
  body: Record<string, unknown>
}

/** One thing in which two answers to the same request differ. A side that does not have it is `undefined`. */
export interface Difference {
  request: string
  /** `status`, `header NAME` or `body PATH`. */
  part: string
  before: unknown
  after: unknown
  /** The statuses of both answers. */
  statuses: [before: number, after: number]
}

/** Headers that say nothing about the service: the time, and the length of a body that is compared itself. */
const ignored = new Set(['date', 'content-length'])

/** Sends one request and reads what a client sees. Redirects are not followed. */
export async function answerOf(method: string, url: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await fetch(new Request(buildRequest(url, method, options), { redirect: 'manual' }))
  const text = await response.text()
  const isJson = /^application\/(\w+\+)?json\b/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: Object.fromEntries([...response.headers].filter(([name]) => !ignored.has(name))),
    body: text === '' ? {} : isJson ? membersOf(JSON.parse(text)) : { text },
  }
}

/** Every leaf of a JSON value by its path. An empty array or object is a leaf; an access token is its claims. */
function membersOf(value: unknown, path: string[] = []): Record<string, unknown> {
  const readable = path.join('.') === 'access_token' ? readToken(String(value)) : value
  const entries = typeof readable === 'object' && readable !== null ? Object.entries(readable) : []
  if (entries.length === 0) return { [path.join('.')]: readable }
  return Object.assign({}, ...entries.map(([name, member]) => membersOf(member, [...path, name])))
}

/** The header and the claims of a JWT. */
export function readToken(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = ''] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  return { header: JSON.parse(header), claims: JSON.parse(claims) }
}

/**
 * Compares two answers to the same request. An answer with another status has another sentence, and lacks what belongs
 * to the first status, so only the parts that it adds are compared; of a success and an error only the headers.
 * @param same returns true for two values that differ and mean the same, such as two ids
 */
export function differencesOf(
  request: string,
  before: Answer,
  after: Answer,
  same: (part: string, before: unknown, after: unknown) => boolean,
): Difference[] {
  const found: Difference[] = []
  const statuses: Difference['statuses'] = [before.status, after.status]
  const otherStatus = before.status !== after.status
  const otherOutcome = before.status < 400 !== after.status < 400
  const compare = (part: string, one: unknown, other: unknown) => {
    if (one === other || same(part, one, other)) return
    if (otherStatus && part !== 'status') {
      if (other === undefined || part.startsWith('body detail')) return
      if (otherOutcome && (one !== undefined || part.startsWith('body '))) return
    }
    found.push({ request, part, before: one, after: other, statuses })
  }
  compare('status', before.status, after.status)
  for (const name of new Set([...Object.keys(before.headers), ...Object.keys(after.headers)]))
    compare(`header ${name}`, before.headers[name], after.headers[name])
  for (const path of new Set([...Object.keys(before.body), ...Object.keys(after.body)]))
    compare(`body ${path}`, before.body[path], after.body[path])
  return found
}
