import { bearer } from '@elysiajs/bearer'
import { Elysia, t } from 'elysia'
import { KeywardError } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { prometheusType } from '../../lib/prometheus.ts'
import { isMetricsToken } from './authorize.ts'
import type { Metrics } from './metrics.ts'

const scheme = 'Bearer'

/** No request can have a parameter of this name: it is half of a surrogate pair, which UTF-8 cannot encode. */
const unreachable = '\uD800'

/**
 * `/metrics` for Prometheus, which exists only with METRICS_TOKEN. Its credential is no user's, so the route is open to
 * the guard and compares the token itself.
 *
 * The plugin's hook is global and would run on every route of the service. A group keeps it, because only its routes
 * leave a group.
 */
export function metricsRoutes(metrics: Metrics, metricsToken: string | undefined, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.metrics' }).use(kit.plugin)
  if (metricsToken === undefined) return routes
  routes.group('', (group) =>
    group.use(bearer({ extract: { header: scheme, query: unreachable, body: unreachable } })).get(
      '/metrics',
      ({ request, bearer: token, set }) => {
        // The plugin takes any header that begins with the scheme, such as `BearerX`.
        const named = request.headers.get('authorization')?.startsWith(`${scheme} `)
        if (!named || token === undefined) throw new KeywardError('not_authenticated')
        if (!isMetricsToken(token, metricsToken)) throw new KeywardError('invalid_token')
        set.headers['content-type'] = prometheusType
        return metrics.text()
      },
      {
        open: true,
        limit: { none: 'the token is long and random, and a wrong one costs two hashes' },
        response: {
          200: answer('Metrics in the Prometheus text format 0.0.4', MetricsText),
          ...plainProblems('not_authenticated', 'invalid_token'),
        },
        detail: {
          operationId: 'getMetrics',
          summary: 'Get the metrics',
          description: 'For Prometheus. The credential is METRICS_TOKEN, and the scheme is spelled `Bearer` exactly.',
          tags: ['operation'],
          security: [{ metricsToken: [] }],
        },
      },
    ),
  )
  return routes
}

const MetricsText = t.String({
  contentMediaType: 'text/plain',
  examples: ['# TYPE keyward_logins_total counter\nkeyward_logins_total{method="password",outcome="success"} 7\n'],
})
