import { createApp } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { startJobs } from '../features/jobs/jobs.ts'
import { nextTurn } from '../lib/clock.ts'
import { enableJit } from '../lib/jit.ts'
import { jobsOf, openService } from '../service.ts'
import type { CommandContext } from './context.ts'
import { drain, lastOnConnection } from './drain.ts'
import type { Listener } from './listener.ts'
import { warnOfSettings } from './warn-of-settings.ts'

/** Serves until the process gets a signal to stop, then drains. The caller opens and closes the listener. */
export async function runServer(
  { server, answerWith }: Listener,
  config: Config,
  { context, dev }: { context: CommandContext; dev: boolean },
): Promise<void> {
  const { clock, random, printLog, printsToTerminal, usage } = context
  const surroundings = { clock, random, write: printLog, writesToTerminal: printsToTerminal, usage }
  const service = await openService(config, { ...surroundings, schema: 'upgrade' })
  const { log, probes } = service
  const jobs = startJobs(service, jobsOf(service))
  try {
    const app = createApp(service, (request) => server.requestIP(request)?.address)
    // The first request that is not a probe turns on JIT compilation. Without JIT, a server needs less memory.
    answerWith((request, target) => {
      if (!app.isProbe(request)) {
        answerWith(app.fetch)
        nextTurn().then(enableJit)
      }
      return app.fetch(request, target)
    })
    const url = addressOf(config)
    log.info('started', {
      version: context.version,
      url,
      public_url: config.PUBLIC_URL,
      database: config.DATABASE_URL.shown,
      docs: `${url}/docs`,
    })
    warnOfSettings(config, { dev, log })
    const signal = await context.stopSignal()
    log.info('stopping', { signal })
    answerWith(async (request, target) => lastOnConnection(await app.fetch(request, target)))
    await drain(server, {
      startDraining: probes.startDraining,
      delaySeconds: config.SHUTDOWN_DELAY_SECONDS,
      clock: service.clock,
      log,
    })
    log.info('stopped')
  } finally {
    await jobs.stop()
    await service.close()
  }
}

/** Returns the URL of the server for a browser on this machine. */
function addressOf({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): string {
  if (HOST === '0.0.0.0' || HOST === '::') return `http://localhost:${PORT}`
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`
}
