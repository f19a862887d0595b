import { bearer } from '@elysiajs/bearer'
import { Elysia, t } from 'elysia'
import { KeywardError } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { constantTimeEqual, sha256 } from '../../lib/hash.ts'
import { prometheusType } from '../../lib/prometheus.ts'
import type { Metrics } from './metrics.ts'

const scheme = 'Bearer'

/**
 * The name of the query and body parameter from which the bearer plugin reads a token. UTF-8 cannot encode half of a
 * surrogate pair, so no request contains this name, and the plugin reads the token from the header only.
 */
const unreachable = '\uD800'

/**
 * The route `/metrics` for Prometheus. The route exists only when METRICS_TOKEN is set. METRICS_TOKEN belongs to no
 * user, so the route has `open: true` and compares the request's token with METRICS_TOKEN itself.
 *
 * The bearer plugin would add its hook to every route of the service. The group limits the hook to `/metrics`.
 */
export function metricsRoutes(metrics: Metrics, metricsToken: string | undefined, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.metrics' }).use(kit.plugin)
  if (metricsToken === undefined) return routes
  routes.group('', (group) =>
    group.use(bearer({ extract: { header: scheme, query: unreachable, body: unreachable } })).get(
      '/metrics',
      ({ request, bearer: token, set }) => {
        // The plugin accepts any header that begins with the scheme, such as `BearerX`.
        const named = request.headers.get('authorization')?.startsWith(`${scheme} `)
        if (!named || token === undefined) throw new KeywardError('not_authenticated')
        // The hashes have equal lengths. The time of the comparison thus does not reveal the length of METRICS_TOKEN.
        if (!constantTimeEqual(sha256(token), sha256(metricsToken))) throw new KeywardError('invalid_token')
        set.headers['content-type'] = prometheusType
        return metrics.text()
      },
      {
        open: true,
        limit: { none: 'the token is long and random, and a wrong one costs two SHA-256' },
        response: {
          200: answer('Metrics in the Prometheus text format 0.0.4', MetricsText),
          ...plainProblems('not_authenticated', 'invalid_token'),
        },
        detail: {
          operationId: 'getMetrics',
          summary: 'Get the metrics',
          description: 'For Prometheus. The credential is METRICS_TOKEN, and the scheme must be spelled `Bearer`.',
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
