import { defineCommand } from 'citty'
import { createApp } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { closeDeps, createDeps } from '../deps.ts'
import { maskDatabaseUrl } from '../lib/database-url.ts'
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
      const { clock, random, print } = context
      const config = readConfig(context, args)
      const deps = await createDeps(config, { clock, random, write: print })
      try {
        let peer: (request: Request) => string | undefined = () => undefined
        const app = createApp(deps, (request) => peer(request))
        const server = listen(config, app.fetch)
        peer = (request) => server.requestIP(request)?.address
        const url = `http://${config.HOST === '0.0.0.0' || config.HOST === '::' ? 'localhost' : config.HOST}:${server.port}`
        deps.log.info('started', {
          version: context.version,
          url,
          public_url: config.PUBLIC_URL,
          database: maskDatabaseUrl(config.DATABASE_URL),
          docs: `${url}/docs`,
        })
        const signal = await context.stopSignal()
        deps.log.info('stopping', { signal })
        await clock.sleep(config.SHUTDOWN_DELAY_SECONDS * 1_000)
        await server.stop()
        deps.log.info('stopped')
      } finally {
        await closeDeps(deps)
      }
    },
  })

/** @throws CommandError when the address cannot be had */
function listen({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>, fetch: (request: Request) => Promise<Response>) {
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
