import type { App } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { servedTargets } from '../http/target.ts'
import { systemReason } from '../lib/error-reasons.ts'
import { CommandError } from './context.ts'

/**
 * The largest body that Bun receives, in bytes. The body parsers refuse bodies over 64 KiB with a problem document;
 * this limit stops the transfer of much larger bodies.
 */
const MAX_REQUEST_BODY = 1024 * 1024
/** Seconds in which the server must have received and answered a request that can have a body. */
const REQUEST_TIMEOUT = 30
/**
 * Bun closes a connection up to 4 seconds before its timeout, because Bun checks the timeouts every 4 seconds. These
 * seconds are added, so that an idle connection stays open for at least IDLE_TIMEOUT_SECONDS.
 */
const TIMER_STEP = 4
/**
 * The longest timeout that `Bun.serve` accepts, in seconds. An IDLE_TIMEOUT_SECONDS above 251 therefore gets less than
 * `TIMER_STEP` added.
 */
const LONGEST_TIMEOUT = 255

export interface Listener {
  server: Bun.Server<undefined>
  /**
   * Sends every later request to `answer`. Requests that arrive before the first call of this function wait for that
   * call.
   */
  answerWith(answer: App['fetch']): void
}

/**
 * Opens the port before the service is ready.
 *
 * A connection is closed after `IDLE_TIMEOUT_SECONDS` without a request. A client that sends a request slowly does not
 * gain time with every byte: the first head must be complete within 12 seconds, a later head within the idle time after
 * the previous answer, and a body within `requestTimeout`.
 * @param checkSettings runs when the address cannot be used. Its error is then thrown instead of the CommandError,
 * because a wrong setting would also stop the next start
 * @param requestTimeout in seconds
 * @throws CommandError when the address cannot be used; the error of `checkSettings`
 */
export async function listen(
  { HOST, PORT, IDLE_TIMEOUT_SECONDS }: Pick<Config, 'HOST' | 'PORT' | 'IDLE_TIMEOUT_SECONDS'>,
  checkSettings: () => Promise<void>,
  requestTimeout = REQUEST_TIMEOUT,
): Promise<Listener> {
  const first = Promise.withResolvers<App['fetch']>()
  let answer: App['fetch'] = async (request, target) => (await first.promise)(request, target)
  const idleTimeout = Math.min(IDLE_TIMEOUT_SECONDS + TIMER_STEP, LONGEST_TIMEOUT)

  // A GET or HEAD request is complete when it arrives here. It keeps the timeout of the server, because two calls of
  // `server.timeout` would take a noticeable part of the time of a cheap request.
  const isComplete = ({ method }: Request) => method === 'GET' || method === 'HEAD'
  const answerInTime: App['fetch'] = async (request, target) => {
    server.timeout(request, requestTimeout)
    const response = await answer(request, target)
    server.timeout(request, idleTimeout)
    return response
  }
  let server: Bun.Server<undefined>
  try {
    server = Bun.serve({
      hostname: HOST,
      port: PORT,
      maxRequestBodySize: MAX_REQUEST_BODY,
      idleTimeout: Math.max(idleTimeout, requestTimeout),
      ...servedTargets((request, target) =>
        idleTimeout >= requestTimeout && isComplete(request) ? answer(request, target) : answerInTime(request, target),
      ),
    })
  } catch (error) {
    await checkSettings()
    const { code } = error as { code?: string }
    const why = refusals[code ?? ''] ?? systemReason(code)
    throw new CommandError(`Cannot listen on HOST=${HOST} PORT=${PORT}: ${why}${code ? ` (${code})` : ''}`)
  }
  return {
    server,
    answerWith(next) {
      answer = next
      first.resolve(next)
    },
  }
}

const refusals: Record<string, string> = {
  EADDRINUSE: 'another program uses this port; stop it or set another PORT',
  EACCES: 'this user has no permission for this port; ports from 1024 need none',
  EADDRNOTAVAIL: 'this machine does not have this address',
}
