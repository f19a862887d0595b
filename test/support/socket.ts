import { connect } from 'node:net'
import { servedTargets } from '../../src/http/target.ts'
import type { TestApp } from './app.ts'

export interface Served {
  /** `http://127.0.0.1:<port>`. */
  url: string
  /**
   * Sends bytes unchanged and returns the answer until the server closed the connection. With `end` the client closes
   * its half after them, so that the server does not wait for more.
   */
  raw(text: string, options?: { end?: boolean }): Promise<RawAnswer>
  stop(): Promise<void>
}

export interface RawAnswer {
  status: number
  /** Names in lower case. */
  headers: Map<string, string>
  body: string
}

/**
 * Serves a test's Keyward over a socket, as `keyward serve` does. Send `Connection: close` in requests of `raw`.
 * @param port a free port by default
 */
export function serve(app: Pick<TestApp, 'fetch'>, port = 0): Served {
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: '127.0.0.1',
    port,
    maxRequestBodySize: 1024 * 1024,
    ...servedTargets((request, target) => app.fetch(request, server.requestIP(request)?.address, target)),
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    raw: async (text, { end = false } = {}) => parse(await exchange(server.port!, text, end)),
    stop: () => server.stop(true),
  }
}

/** Sends bytes unchanged to a port of this machine; see `Served.raw`. */
export const rawTo = async (port: number, text: string): Promise<RawAnswer> => parse(await exchange(port, text))

/** Sends bytes unchanged to a port of this machine and returns the bytes of the answer, as Latin-1. */
export const exchange = (port: number, text: string, end = false): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (piece) => {
      answer += piece
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', (error) => (answer ? resolve(answer) : reject(error)))
    if (end) socket.end(text, 'latin1')
    else socket.write(text, 'latin1')
  })

function parse(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]),
    headers: new Map(headers),
    body: answer.slice(end + 4),
  }
}
