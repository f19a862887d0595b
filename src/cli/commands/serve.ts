import { defineCommand } from 'citty'
import type { App } from '../../app.ts'
import { type Config, withPort } from '../../config/schema.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { readConfig, settingsArgs } from '../settings.ts'

/** Bodies are refused at 64 KiB by our own parsers; this only keeps worse from being received. */
const MAX_REQUEST_BODY = 1024 * 1024
/** Seconds after which a connection without traffic is closed. */
const IDLE_TIMEOUT = 30

export const serve = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'serve', description: 'Serve HTTP (this is what keyward alone does)' },
    args: settingsArgs,
    async run({ args }) {
      const settings = readConfig(context, args)
      // The port is taken first: only the system knows which it is for PORT=0, and a second start on one that is in
      // use ends before it touches the database.
      const listener = listen(settings)
      try {
        // Most of the program, which other commands do without: a health check spends a quarter less time.
        const { runService } = await import('../run-server.ts')
        await runService(listener, withPort(settings, listener.server.port!), { context, dev: args.dev === true })
      } finally {
        await listener.server.stop(true)
      }
    },
  })

export interface Listener {
  server: Bun.Server<undefined>
  /** Gives `answer` the requests from now on; its first call also those that came before and have waited for it. */
  answerWith(answer: App['fetch']): void
}

/** @throws CommandError when the address cannot be had */
function listen({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): Listener {
  const first = Promise.withResolvers<App['fetch']>()
  let answer: App['fetch'] = async (request) => (await first.promise)(request)
  try {
    const server = Bun.serve({
      hostname: HOST,
      port: PORT,
      maxRequestBodySize: MAX_REQUEST_BODY,
      idleTimeout: IDLE_TIMEOUT,
      fetch: (request) => answer(request),
    })
    return {
      server,
      answerWith(next) {
        answer = next
        first.resolve(next)
      },
    }
  } catch (error) {
    const { code } = error as { code?: string }
    const why = code === undefined ? undefined : refusals[code]
    throw new CommandError(
      `Cannot listen on HOST=${HOST} PORT=${PORT}: ${why ?? 'the system refuses'}${code === undefined ? '' : ` (${code})`}`,
    )
  }
}

const refusals: Record<string, string> = {
  EADDRINUSE: 'something else listens there; stop it or set another PORT',
  EACCES: 'this user may not take that port; ports from 1024 on are free to all',
  EADDRNOTAVAIL: 'this machine does not have that address',
}
