import { t } from 'elysia'

export const Alive = t.Object({ status: t.Literal('alive') }, { examples: [{ status: 'alive' }] })

export const Ready = t.Object({ status: t.Literal('ready') }, { examples: [{ status: 'ready' }] })

export const MetricsText = t.String({
  description: 'Prometheus text format 0.0.4',
  contentMediaType: 'text/plain',
  examples: ['# TYPE keyward_logins_total counter\nkeyward_logins_total{method="password",outcome="success"} 7\n'],
})
