import { type Clock, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/** How long running requests may take to finish, in milliseconds, before they are cut. */
const FINISH_LIMIT = 30 * SECOND

/** The part of `Bun.serve`'s server that ends it. */
export interface DrainableServer {
  readonly pendingRequests: number
  /** Accepts no more and resolves when running requests have been answered; with `true` they are cut. */
  stop(cut?: boolean): Promise<void>
}

/**
 * Takes a server out of service. `/readyz` refuses at once while requests are still served for `delaySeconds`, so that
 * load balancers send them elsewhere. Then nothing is accepted any more, and running requests have 30 s to finish.
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

/** Marks the last answer on its connection: a client that keeps one alive connects anew, to a process that stays. */
export function lastOnConnection(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}
