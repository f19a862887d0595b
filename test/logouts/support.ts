import { type Outgoing, OutgoingError, type OutgoingRequest } from '../../src/lib/outgoing-fetch.ts'

export interface Received {
  url: string
  body: string
  token: string
  headers: Readonly<Record<string, string>>
}

/** The endpoints of clients, by address, and what they received. */
export interface Endpoints {
  outgoing: Outgoing
  received: Received[]
  /** The answer of an address from now on: a status, a fault, or never one. 200 for other addresses. */
  answer(url: string, answer: number | 'unreachable' | 'hangs'): void
  /** Ends the requests that hang, as after 5 s. */
  endHanging(): void
  hanging(): number
}

export function fakeEndpoints(): Endpoints {
  const answers = new Map<string, number | 'unreachable' | 'hangs'>()
  const received: Received[] = []
  const hanging = new Set<() => void>()
  const fail = (fault: 'unreachable' | 'timeout') => new OutgoingError(fault, 'no answer')
  return {
    received,
    answer: (url, answer) => void answers.set(url, answer),
    hanging: () => hanging.size,
    endHanging() {
      for (const end of hanging) end()
      hanging.clear()
    },
    outgoing: {
      async fetch(url: string, { headers = {}, body }: OutgoingRequest = {}) {
        const answer = answers.get(url) ?? 200
        const text = String(body)
        received.push({ url, body: text, token: new URLSearchParams(text).get('logout_token') ?? '', headers })
        if (answer === 'unreachable') throw fail('unreachable')
        if (answer === 'hangs') await new Promise<void>((_, reject) => hanging.add(() => reject(fail('timeout'))))
        return { status: Number(answer), headers: new Headers(), body: new Uint8Array() }
      },
    },
  }
}
