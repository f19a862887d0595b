import { catalogue } from '../../src/errors.ts'
import { problemTypeOf } from '../support/refusal.ts'
import type { ApiDocument, DeclaredAnswer, Operation } from './document.ts'

/** A request as it was sent, without placeholders. */
export interface Sent {
  method: string
  target: string
  /** Undefined if the path or the method is not in the document. */
  operation: Operation | undefined
  /** Texts of the request; no refusal may contain one. */
  texts: ReadonlySet<string>
  /** Passwords and tokens; no answer may contain one. */
  secrets: ReadonlySet<string>
  /** Whether it carries a token of a session that is alive. */
  spendable: boolean
}

/** The violations of the general rules and of the document in an answer; empty for a valid one. */
export async function faultsOf(sent: Sent, answer: Response, document: ApiDocument): Promise<string[]> {
  const faults: string[] = []
  const expect = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  const { status, headers } = answer
  const type = headers.get('content-type')
  const body = status >= 400 || type === null || type.startsWith('application/json') ? await answer.text() : ''
  headerFaults(answer, expect)

  const declared = declaredAnswer(sent, status, document)
  if (declared === undefined) {
    const allows = status === 204 && sent.method === 'OPTIONS' && headers.has('allow')
    const sendsOn = status === 307 && headers.get('location')?.startsWith('../')
    expect(allows || sendsOn === true, `answers an undeclared ${status}`)
    return faults
  }
  // Over a socket the server omits the body of a HEAD.
  if (sent.method === 'HEAD') return faults
  if (declared.type === undefined) expect(body === '', `answers ${status} with a body`)
  else
    expect(type?.split(';')[0] === typeOf(declared, sent, status) || isPageFile(sent), `answers ${status} as ${type}`)
  if (declared.type?.endsWith('json') && sent.target !== '/openapi.json')
    faults.push(...bodyFaults(body, status, declared))
  if (status >= 400) {
    const echo = echoIn(sent.texts, body, headers, document)
    expect(echo === undefined, `echoes ${JSON.stringify(echo)}`)
  }
  for (const secret of sent.secrets) expect(!body.includes(secret), 'answers a password or token that was sent')
  return faults
}

type Expect = (holds: boolean, fault: string) => void

function headerFaults({ status, headers }: Response, expect: Expect): void {
  const has = (name: string, pattern: RegExp) =>
    expect(pattern.test(headers.get(name) ?? ''), `${status} without ${name}`)
  expect(status < 500, `answers ${status}`)
  has('x-request-id', /^[A-Za-z0-9._-]{1,128}$/)
  has('x-content-type-options', /^nosniff$/)
  has('referrer-policy', /^no-referrer$/)
  has('cache-control', /./)
  expect(!headers.has('set-cookie'), 'sets a cookie')
  if (status >= 400) has('cache-control', /^no-store$/)
  if (status === 401) has('www-authenticate', /^Bearer/)
  if (status === 405) has('allow', /[A-Z]/)
  if (status === 429) {
    has('retry-after', /^[1-9]\d*$/)
    has('ratelimit', /^"[^"]+";r=0;t=\d+$/)
    has('ratelimit-policy', /^"[^"]+";q=\d+;w=\d+$/)
  }
}

/** A HEAD answers as GET; an unknown operation answers 404 or 405. */
function declaredAnswer({ operation }: Sent, status: number, document: ApiDocument): DeclaredAnswer | undefined {
  if (operation) return operation.answers.get(status)
  return status === 404 || status === 405 ? document.problem : undefined
}

/** A 405 of an OAuth path has the type of its other refusals. */
const typeOf = ({ type }: DeclaredAnswer, { target }: Sent, status: number): string | undefined =>
  status === 405 ? problemTypeOf(URL.parse(`http://x${target}`)?.pathname ?? target) : type

/** The document names only one of the types that the files of the page have. */
const isPageFile = ({ operation }: Sent): boolean => operation?.path === '/docs/{file}'

function bodyFaults(body: string, status: number, { complaints, codes }: DeclaredAnswer): string[] {
  let value: { status?: unknown; code?: string }
  try {
    value = JSON.parse(body)
  } catch {
    return [`answers ${status} with what is no JSON`]
  }
  const faults = complaints(value).map((complaint) => `${status}: ${complaint}`)
  if (status < 400) return faults
  if (value.status !== status) faults.push(`${status} says in its body that it is ${value.status}`)
  if (!codes.includes(value.code ?? '')) faults.push(`${status} has the undeclared code ${value.code}`)
  if (!Object.hasOwn(catalogue, value.code ?? '')) faults.push(`${value.code} is no code`)
  return faults
}

/** The first text of the request that the answer repeats, except texts that it contains in any case. */
function echoIn(texts: Sent['texts'], body: string, headers: Headers, document: ApiDocument): string | undefined {
  const said = [body, ...[...headers].filter(([name]) => !repeated.has(name)).map(([, value]) => value)].join('\n')
  for (const text of texts) {
    if (text.length < 6 || document.text.includes(text)) continue
    if (said.includes(text) || said.includes(JSON.stringify(text).slice(1, -1))) return text
  }
}

/** Values that an answer may contain: the client's request id, a listed origin, and names of methods. */
const repeated = new Set(['x-request-id', 'access-control-allow-origin', 'allow'])
