import { defineCommand } from 'citty'
import { type App, createApp } from '../app.ts'
import { type Config, withPort } from '../config/schema.ts'
import { closeDeps, createDeps } from '../deps.ts'
import { drain, lastOnConnection } from '../features/ops/drain.ts'
import { startJobs } from '../features/ops/jobs.ts'
import { warnOfSettings } from '../features/ops/warnings.ts'
import { nextTurn } from '../lib/clock.ts'
import { maskDatabaseUrl } from '../lib/database-url.ts'
import { compileWhatIsHot } from '../lib/jit.ts'
import { type CommandContext, CommandError } from './context.ts'
import { readConfig, settingsArgs } from './settings.ts'

/** Bodies are refused at 64 KiB by our own parsers; this only keeps worse from being received. */
const MAX_REQUEST_BODY = 1024 * 1024
/** Seconds after which a connection without traffic is closed. */
const IDLE_TIMEOUT = 30

export const serve = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'serve', description: 'Serve HTTP (this is what keyward alone does)' },
    args: settingsArgs,
    async run({ args }) {
      const { clock, random, print, usage } = context
      const settings = readConfig(context, args)
      // The port is taken first: only the system knows which it is for PORT=0, and a second start on one that is in
      // use ends before it touches the database. Requests that come this early wait.
      const started = Promise.withResolvers<App>()
      let handle: App['fetch'] = async (request) => (await started.promise).fetch(request)
      const server = listen(settings, (request) => handle(request))
      try {
        const config = withPort(settings, server.port!)
        const deps = await createDeps(config, { clock, random, write: print, usage })
        const jobs = startJobs(deps)
        try {
          const app = createApp(deps, (request) => server.requestIP(request)?.address)
          // Probes alone are an idle server, which stays as small as it started.
          handle = (request) => {
            if (!app.isProbe(request)) {
              handle = app.fetch
              nextTurn().then(compileWhatIsHot)
            }
            return app.fetch(request)
          }
          started.resolve(app)
          const url = addressOf(config)
          deps.log.info('started', {
            version: context.version,
            url,
            public_url: config.PUBLIC_URL,
            database: maskDatabaseUrl(config.DATABASE_URL),
            docs: `${url}/docs`,
          })
          warnOfSettings(config, { dev: args.dev === true, log: deps.log })
          const signal = await context.stopSignal()
          deps.log.info('stopping', { signal })
          handle = async (request) => lastOnConnection(await app.fetch(request))
          await drain(deps, server)
          deps.log.info('stopped')
        } finally {
          await jobs.stop()
          await closeDeps(deps)
        }
      } finally {
        await server.stop(true)
      }
    },
  })

/** Where a person on this machine reaches the server. */
function addressOf({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): string {
  if (HOST === '0.0.0.0' || HOST === '::') return `http://localhost:${PORT}`
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`
}

/** @throws CommandError when the address cannot be had */
function listen({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>, fetch: App['fetch']) {
  try {
    return Bun.serve({
      hostname: HOST,
      port: PORT,
      maxRequestBodySize: MAX_REQUEST_BODY,
      idleTimeout: IDLE_TIMEOUT,
      fetch,
    })
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
