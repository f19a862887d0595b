import { pathOf } from '../../src/http/route-table.ts'
import type { TestApp } from '../support/app.ts'
import { faultsOf, type Sent } from './answers.ts'
import type { ApiDocument } from './document.ts'
import { headerText, type PlannedRequest } from './requests.ts'
import type { World } from './world.ts'

export interface Fuzzer {
  /** Sends a request and answers what is wrong with what came back. */
  judge(plan: PlannedRequest): Promise<string[]>
  /** How often each status was answered. */
  statuses: Map<number, number>
}

/** No answer may take longer, in milliseconds of real time. */
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
    if (spends(sent, answer.status)) await world.renew()
    return took > LONGEST ? [...faults, SLOW] : faults
  }

  /** What was logged since the last look: no password, no token, nothing unexpected. */
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
    // What a client names its request is logged: none names it by a token.
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
    const route = app.table.find(method, path) ?? (method === 'HEAD' ? app.table.find('GET', path) : undefined)
    const texts = textsOf({ target, headers, body })
    const said = [...texts].join('\n')
    const operation = route && operations.get(`${route.method} ${route.pattern}`)
    // A key can be a username, which is answered; the password cannot.
    const candidates = operation?.path === '/register' ? [world.values.password] : world.secrets()
    const secrets = new Set(candidates.filter((secret) => said.includes(secret)))
    return {
      request,
      sent: {
        method,
        target,
        operation,
        texts,
        secrets,
        spendable: world.spendable().some((token) => secrets.has(token)),
      },
    }
  }

  return {
    statuses,
    async judge(plan) {
      for (let attempt = 1; ; attempt++) {
        const faults = await send(plan)
        // A busy machine may stop any test for a second; an input that takes long does so every time.
        if (!faults.includes(SLOW) || attempt === 3) return faults
      }
    },
  }
}

const SLOW = `takes longer than ${LONGEST} ms`

/** Whether a request may have ended a session or changed a password of the world's people. */
const spends = ({ method, operation, spendable }: Sent, status: number): boolean =>
  operation !== undefined && method !== 'GET' && spendable && (status < 300 || status === 401)

/** The values of a request, as they were meant and as they were sent. */
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

/** What a client names itself and where it comes from may be said to it. */
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
    // Then it has no leaves.
  }
  return found
}
