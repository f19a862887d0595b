import type { App } from '../app.ts'
import type { Config } from '../config/schema.ts'
import { startJobs } from '../features/jobs/jobs.ts'
import { KeyringError } from '../features/secrets/secrets.ts'
import { nextTurn } from '../lib/clock.ts'
import { enableJit } from '../lib/jit.ts'
import { checkSecretKey, openService } from '../service.ts'
import type { CommandContext } from './context.ts'
import { drain, lastOnConnection } from './drain.ts'
import { answerLiveness } from './early-liveness.ts'
import { jobsOf } from './jobs.ts'
import type { Listener } from './listener.ts'
import { warnOfPasskeys } from './warn-of-passkeys.ts'
import { warnOfSettings } from './warn-of-settings.ts'

/**
 * Runs the service until the process gets a signal to stop, and then until running requests are answered. The caller
 * opens and closes the listener.
 * @throws the errors of `openService`
 */
export async function runServer(
  { server, answerWith }: Listener,
  config: Config,
  { context, dev }: { context: CommandContext; dev: boolean },
): Promise<void> {
  const { clock, random, printLog, printsToTerminal, usage } = context
  const surroundings = { clock, random, write: printLog, writesToTerminal: printsToTerminal, usage }
  const service = await openService(config, { ...surroundings, dev, schema: 'upgrade' })
  const { log, probes } = service
  await service.invitations.prepareFirstAdmin()
  const stopSignal = context.stopSignal()
  const application = Promise.withResolvers<App['fetch']>()
  answerWith(answerLiveness(service, application.promise))
  // Making the application blocks the event loop, so the requests that wait for the liveness are answered before.
  await nextTurn()
  const jobs = startJobs(service, jobsOf(service))
  try {
    const { createApp } = await import('../app.ts')
    const app = createApp(service, { peer: (request) => server.requestIP(request)?.address, logUnknownPaths: dev })
    // The first request that is not a probe turns on JIT compilation. A server that only answers probes needs less
    // memory without JIT compilation.
    const answer: App['fetch'] = (request, target) => {
      if (!app.isProbe(request)) {
        answerWith(app.fetch)
        nextTurn().then(enableJit)
      }
      return app.fetch(request, target)
    }
    answerWith(answer)
    application.resolve(answer)
    const url = addressOf(config)
    log.info('started', {
      url,
      public_url: config.PUBLIC_URL === url ? undefined : config.PUBLIC_URL,
      version: context.version,
      database: config.DATABASE_URL.shown,
    })
    warnOfSettings(config, { dev, log })
    await warnOfPasskeys(config, service)
    context.onIgnoredSignal?.((ignored) => log.info('signal_ignored', { signal: ignored }))
    const signal = await stopSignal
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

/**
 * Checks that SECRET_KEY fits the database, for a start that cannot open its port. Writes nothing to the database.
 * @throws KeyringError when a key in the database was sealed with another SECRET_KEY
 */
export async function explainSecretKey(config: Config, { clock }: CommandContext): Promise<void> {
  try {
    await checkSecretKey(config, { clock })
  } catch (error) {
    // Any other error, such as no database, an old schema or no connection, is ignored: SECRET_KEY then cannot be
    // checked, and the caller reports why the port cannot be opened.
    if (error instanceof KeyringError) throw error
  }
}

/** Returns the URL at which a browser on this machine reaches the server. */
function addressOf({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): string {
  if (['0.0.0.0', '::', '127.0.0.1'].includes(HOST)) return `http://localhost:${PORT}`
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`
}
