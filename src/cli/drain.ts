import { type Clock, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/** How long running requests may take after the port is closed, in milliseconds. */
const FINISH_LIMIT = 30 * SECOND

/** The members of a `Bun.serve` server that `drain` uses. */
export interface DrainableServer {
  readonly pendingRequests: number
  /**
   * Closes the port, and resolves when all running requests are answered.
   * @param cut true closes all connections at once
   */
  stop(cut?: boolean): Promise<void>
}

/**
 * Stops a server after its requests are answered:
 * 1. For `delaySeconds`, `/readyz` answers 503, so that load balancers choose other servers. Other requests are served.
 * 2. The port is closed, and running requests have `FINISH_LIMIT` to finish. Then their connections are closed.
 */
export async function drain(
  server: DrainableServer,
  {
    startDraining,
    delaySeconds,
    clock,
    log,
  }: { startDraining: () => void; delaySeconds: number; clock: Clock; log: Log },
): Promise<void> {
  startDraining()
  if (delaySeconds > 0) await clock.sleep(delaySeconds * SECOND)
  const finished = server.stop().then(() => true)
  if (await Promise.race([finished, clock.sleep(FINISH_LIMIT).then(() => false)])) return
  log.warn('requests_cut', { requests: server.pendingRequests })
  await server.stop(true)
}

/**
 * Changes a response so that the client closes the connection. The next request of the client can then reach another
 * server.
 */
export function lastOnConnection(response: Response): Response {
  response.headers.set('connection', 'close')
  response.headers.delete('keep-alive')
  return response
}
