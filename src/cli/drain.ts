import { type Clock, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/** How long running requests may take to finish, in milliseconds. */
const FINISH_LIMIT = 30 * SECOND

/** The part of `Bun.serve`'s server that stops it. */
export interface DrainableServer {
  readonly pendingRequests: number
  /** Closes the port and resolves when running requests are answered. `stop(true)` closes all connections at once. */
  stop(cut?: boolean): Promise<void>
}

/**
 * Stops a server after its requests are answered:
 * 1. `/readyz` answers 503 for `delaySeconds`, and load balancers choose other servers. Other requests are served.
 * 2. The port is closed, and running requests have 30 s to finish. After 30 s their connections are closed.
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

/** Asks the client to close its connection. Its next request can then go to another server. */
export function lastOnConnection(response: Response): Response {
  response.headers.set('connection', 'close')
  response.headers.delete('keep-alive')
  return response
}
