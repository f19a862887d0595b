import { createApp } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { startJobs } from '../features/jobs/jobs.ts'
import { drain, lastOnConnection } from '../features/probes/drain.ts'
import { nextTurn } from '../lib/clock.ts'
import { maskDatabaseUrl } from '../lib/database-url.ts'
import { enableJit } from '../lib/jit.ts'
import { closeDeps, createDeps } from '../service.ts'
import type { Listener } from './commands/serve.ts'
import type { CommandContext } from './context.ts'
import { warnOfSettings } from './warnings.ts'

/** Serves until the process is asked to stop, and drains. The port was taken before and is its taker's to give back. */
export async function runService(
  { server, answerWith }: Listener,
  config: Config,
  { context, dev }: { context: CommandContext; dev: boolean },
): Promise<void> {
  const { clock, random, printLog, printsToTerminal, usage } = context
  const deps = await createDeps(config, { clock, random, write: printLog, writesToTerminal: printsToTerminal, usage })
  const { log } = deps
  const jobs = startJobs(deps)
  try {
    const app = createApp(deps, (request) => server.requestIP(request)?.address)
    // Probes alone are an idle server, which stays as small as it started.
    answerWith((request) => {
      if (!app.isProbe(request)) {
        answerWith(app.fetch)
        nextTurn().then(enableJit)
      }
      return app.fetch(request)
    })
    const url = addressOf(config)
    log.info('started', {
      version: context.version,
      url,
      public_url: config.PUBLIC_URL,
      database: maskDatabaseUrl(config.DATABASE_URL),
      docs: `${url}/docs`,
    })
    warnOfSettings(config, { dev, log })
    const signal = await context.stopSignal()
    log.info('stopping', { signal })
    answerWith(async (request) => lastOnConnection(await app.fetch(request)))
    await drain(deps, server)
    log.info('stopped')
  } finally {
    await jobs.stop()
    await closeDeps(deps)
  }
}

/** Where a person on this machine reaches the server. */
function addressOf({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): string {
  if (HOST === '0.0.0.0' || HOST === '::') return `http://localhost:${PORT}`
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`
}
