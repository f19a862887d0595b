import { pathOf } from '../../src/http/route-table.ts'
import type { TestApp } from '../support/app.ts'
import { faultsOf, type Sent } from './answers.ts'
import type { ApiDocument } from './document.ts'
import { headerText, type PlannedRequest } from './requests.ts'
import type { World } from './world.ts'

export interface Fuzzer {
  /** Sends a request and returns the violations in its answer. */
  judge(plan: PlannedRequest): Promise<string[]>
  /** The number of answers per status. */
  statuses: Map<number, number>
}

/** The longest time for an answer, in milliseconds of real time. */
const LONGEST = 1_000

export function createFuzzer(app: TestApp, world: World, document: ApiDocument): Fuzzer {
  const statuses = new Map<number, number>()
  const operations = new Map(
    document.operations.map((one) => [`${one.method} ${one.path.replace(/\{(\w+)\}/g, ':$1')}`, one]),
  )

  async function send(plan: PlannedRequest): Promise<string[]> {
    const { request, sent } = build(plan)
    const started = performance.now()
    const answer = await app.fetch(request, plan.peer)
    const took = performance.now() - started
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    const faults = [...(await faultsOf(sent, answer, document)), ...faultsOfLog(world)]
    if (usesUp(sent, answer.status) && !(await world.hasAdmin())) faults.push('leaves no administrator')
    if (usesUp(sent, answer.status)) await world.renew()
    return took > LONGEST ? [...faults, SLOW] : faults
  }

  /** Checks the log since the last call: no password, no token, no unexpected error. */
  function faultsOfLog({ secrets, values }: World): string[] {
    const log = app.logs.splice(0).join('')
    const leaked = [...secrets(), values.device_token].some((secret) => log.includes(secret))
    return [
      ...(leaked ? ['logs a password or token'] : []),
      ...(log.includes('unhandled_error') ? ['logs an unhandled error'] : []),
    ]
  }

  function build(plan: PlannedRequest): { request: Request; sent: Sent } {
    const target = world.fill(plan.target)
    const headers = new Headers()
    // The request id of the client is logged; none of them is a token.
    for (const [name, value] of plan.headers)
      headers.set(name, headerText(name === 'x-request-id' ? value : world.fill(value)))
    const bodiless = /^(GET|HEAD)$/i.test(plan.method)
    const body = bodiless ? undefined : typeof plan.body === 'string' ? world.fill(plan.body) : plan.body
    const init = {
      method: plan.method,
      headers,
      ...(body !== undefined && { body: body as NonNullable<RequestInit['body']> }),
    }
    const request = new Request(`http://localhost:8000${target}`, init)
    const path = pathOf(request.url)
    const { method } = request
    const route =
      app.table.find(method, path) ??
      app.table.proxied(path) ??
      (method === 'HEAD' ? app.table.find('GET', path) : undefined)
    const texts = textsOf({ target, headers, body })
    const said = [...texts].join('\n')
    const operation = route && operations.get(`${route.method} ${route.pattern}`)
    // A placeholder can be a username or a name, which may be answered; a password of a registration may not.
    const { path: routePath = '' } = operation ?? {}
    const answersName = routePath.startsWith('/admin/') || (routePath === '/users/me' && method === 'PATCH')
    const candidates = operation?.path === '/register' ? [world.values.password] : answersName ? [] : world.secrets()
    const secrets = new Set(candidates.filter((secret) => said.includes(secret)))
    return {
      request,
      sent: {
        method,
        target,
        operation,
        texts,
        secrets,
        spendable: world.spendable().some((token) => said.includes(token)),
      },
    }
  }

  return {
    statuses,
    async judge(plan) {
      for (let attempt = 1; ; attempt++) {
        const faults = await send(plan)
        // A busy machine may delay any test for a second; a slow input is slow every time.
        if (!faults.includes(SLOW) || attempt === 3) return faults
      }
    },
  }
}

const SLOW = `takes longer than ${LONGEST} ms`

/** Whether a request may have ended a session or changed a password of the test users. */
const usesUp = ({ method, operation, spendable }: Sent, status: number): boolean =>
  operation !== undefined && method !== 'GET' && spendable && (status < 300 || status === 401)

/** The values of a request, as generated and as sent. */
function textsOf(sent: { target: string; headers: Headers; body: string | Uint8Array | undefined }): Set<string> {
  const texts = new Set<string>()
  const [path = '', query = ''] = sent.target.split(/\?(.*)/s)
  for (const piece of [...path.split('/'), ...query.split('&').flatMap((pair) => pair.split('='))]) {
    texts.add(piece)
    texts.add(decoded(piece))
  }
  for (const [name, value] of sent.headers) if (!unsaid.has(name)) for (const part of value.split(' ')) texts.add(part)
  if (typeof sent.body === 'string') {
    for (const leaf of leaves(sent.body)) texts.add(leaf)
    for (const pair of sent.body.slice(0, 10_000).split(/[&=]/)) texts.add(decoded(pair))
  }
  return texts
}

/** An answer may contain the client's request id and address. */
const unsaid = new Set(['x-request-id', 'origin'])

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function leaves(body: string): string[] {
  const found: string[] = []
  const walk = (value: unknown): void => {
    if (typeof value === 'string') found.push(value)
    else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) walk(inner)
  }
  try {
    walk(JSON.parse(body))
  } catch {
    // Invalid JSON has no leaves.
  }
  return found
}
