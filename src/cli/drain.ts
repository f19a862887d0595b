import { type Clock, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/** Milliseconds that running requests have to finish before they are cut. */
const FINISH_LIMIT = 30 * SECOND

/** The part of `Bun.serve`'s server that stops it. */
export interface DrainableServer {
  readonly pendingRequests: number
  /** Accepts no more connections and resolves when running requests are answered; `true` cuts them. */
  stop(cut?: boolean): Promise<void>
}

/**
 * Stops a server without losing requests. For `delaySeconds`, `/readyz` fails but requests are still served, so that load
 * balancers send new ones elsewhere. Then the port is closed, and running requests have 30 s to finish.
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

/** Closes the connection after this response, so that a client with keep-alive connects to another process. */
export function lastOnConnection(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}
