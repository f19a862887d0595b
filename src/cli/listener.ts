import type { App } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { servedTargets } from '../http/target.ts'
import { CommandError } from './context.ts'

/** In bytes. The parsers refuse bodies over 64 KiB. This limit stops the transfer of very large bodies. */
const MAX_REQUEST_BODY = 1024 * 1024
/** Seconds after which a connection without traffic is closed. */
const IDLE_TIMEOUT = 30

export interface Listener {
  server: Bun.Server<undefined>
  /** Sends requests to `answer` from now on. Requests that arrive before the first call wait for the first call. */
  answerWith(answer: App['fetch']): void
}

/**
 * Opens the port before the service is ready.
 * @param checkSettings runs when the address cannot be used. Its error is thrown instead: a wrong setting would stop the
 *   next start too
 * @throws CommandError when the address cannot be used
 */
export async function listen(
  { HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>,
  checkSettings: () => Promise<void>,
): Promise<Listener> {
  const first = Promise.withResolvers<App['fetch']>()
  let answer: App['fetch'] = async (request, target) => (await first.promise)(request, target)
  try {
    const server = Bun.serve({
      hostname: HOST,
      port: PORT,
      maxRequestBodySize: MAX_REQUEST_BODY,
      idleTimeout: IDLE_TIMEOUT,
      ...servedTargets((request, target) => answer(request, target)),
    })
    return {
      server,
      answerWith(next) {
        answer = next
        first.resolve(next)
      },
    }
  } catch (error) {
    await checkSettings()
    const { code } = error as { code?: string }
    const why = refusals[code ?? ''] ?? 'the system refuses it'
    throw new CommandError(`Cannot listen on HOST=${HOST} PORT=${PORT}: ${why}${code ? ` (${code})` : ''}`)
  }
}

const refusals: Record<string, string> = {
  EADDRINUSE: 'another program uses this port; stop it or set another PORT',
  EACCES: 'this user has no permission for this port; ports from 1024 need none',
  EADDRNOTAVAIL: 'this machine does not have this address',
}
