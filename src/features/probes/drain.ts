import { SECOND } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'

/** How long running requests may take to finish, in milliseconds, before they are cut. */
const FINISH_LIMIT = 30 * SECOND

/** The part of `Bun.serve`'s server that ends it. */
export interface DrainableServer {
  readonly pendingRequests: number
  /** Accepts no more and resolves when running requests have been answered; with `true` they are cut. */
  stop(cut?: boolean): Promise<void>
}

/**
 * Takes a server out of service: `/readyz` says so at once while requests are still served for
 * SHUTDOWN_DELAY_SECONDS, so that load balancers look elsewhere; then nothing is accepted any more and running
 * requests have 30 seconds to finish. Resolves when none runs.
 */
export async function drain(
  { config, clock, log, lifecycle }: Pick<Deps, 'config' | 'clock' | 'log' | 'lifecycle'>,
  server: DrainableServer,
): Promise<void> {
  lifecycle.drain()
  if (config.SHUTDOWN_DELAY_SECONDS > 0) await clock.sleep(config.SHUTDOWN_DELAY_SECONDS * SECOND)
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
