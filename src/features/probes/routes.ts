import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { plainProblems } from '../../http/schemas.ts'
import { prometheusType } from '../../lib/prometheus.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Probes } from './probes.ts'
import { Alive, MetricsText, Ready } from './schemas.ts'

/** What probes ask every few seconds; good answers to them are logged at level `debug`. */
export const probePatterns: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

/** For whatever watches the process. Without METRICS_TOKEN there is no `/metrics`. */
export function probeRoutes(
  { probes, metrics, metricsToken }: { probes: Probes; metrics: Metrics; metricsToken: string | undefined },
  kit: HttpKit,
) {
  const routes = new Elysia({ name: 'keyward.probes' })
    .use(kit.plugin)
    .get('/livez', () => ({ status: 'alive' as const }), {
      open: true,
      limit: { none: 'says one word, and an orchestrator takes a refusal for a dead process' },
      response: { 200: Alive, ...plainProblems() },
      detail: { summary: 'Ask whether the process is alive', tags: ['operation'] },
    })
    .get(
      '/readyz',
      async () => {
        await probes.checkReadiness()
        return { status: 'ready' as const }
      },
      {
        open: true,
        limit: {
          none: 'those who ask at once share one check, and a load balancer takes a refusal for a dead process',
        },
        response: { 200: Ready, ...plainProblems('not_ready', 'shutting_down') },
        detail: {
          summary: 'Ask whether to send it requests',
          description:
            'A row was written, the migrations are applied and a signing key is there. 503 says in words what is wrong, and `shutting_down` while a stopping process still serves.',
          tags: ['operation'],
        },
      },
    )
  if (metricsToken === undefined) return routes
  routes.get(
    '/metrics',
    ({ set }) => {
      set.headers['content-type'] = prometheusType
      return metrics.text()
    },
    {
      access: 'metrics',
      response: { 200: MetricsText, ...plainProblems('not_authenticated', 'invalid_token') },
      detail: { summary: 'Read the metrics with METRICS_TOKEN', tags: ['operation'] },
    },
  )
  return routes
}
