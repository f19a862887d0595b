import type { Config } from '../config/schema.ts'
import type { Clients } from '../features/clients/clients.ts'
import type { Metrics } from '../features/metrics/metrics.ts'
import { probePatterns } from '../features/probes/probes.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import { createCors, createUnlistedOrigins } from './cors.ts'
import type { PipelineOptions } from './pipeline.ts'
import { createRequestIds } from './request-id.ts'

interface Needs {
  config: Pick<Config, 'IDLE_TIMEOUT_SECONDS' | 'CORS_ORIGINS' | 'PUBLIC_URL'>
  random: Random
  log: Log
  metrics: Pick<Metrics, 'answered'>
  clients: Pick<Clients, 'origins'>
}

/** Returns the options of a pipeline that do not depend on its routes. */
export const pipelineOptions = ({ config, random, log, metrics, clients }: Needs) =>
  ({
    requestId: createRequestIds(random),
    idleSeconds: config.IDLE_TIMEOUT_SECONDS,
    cors: createCors({
      origins: config.CORS_ORIGINS,
      clientOrigins: clients.origins,
      onUnlisted: createUnlistedOrigins(config, log),
    }),
    log,
    observe: metrics.answered,
    quiet: probePatterns,
  }) satisfies Partial<PipelineOptions>
