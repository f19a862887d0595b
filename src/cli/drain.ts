import { type Clock, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/** How long running requests may take to finish, in milliseconds. */
const FINISH_LIMIT = 30 * SECOND

/** The part of `Bun.serve`'s server that stops it. */
export interface DrainableServer {
  readonly pendingRequests: number
  /** Closes the port and resolves when running requests are answered. With `true` their connections are closed at once. */
  stop(cut?: boolean): Promise<void>
}

/**
 * Stops a server without failed requests. First `/readyz` answers 503 for `delaySeconds`, so that load balancers choose
 * other servers; requests are still served. Then the port is closed, and running requests have 30 s to finish.
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

/** Tells the client to close its connection, so that its next request goes to another server. */
export function lastOnConnection(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}
