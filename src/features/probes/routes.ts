import { Elysia, t } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import type { Probes } from './probes.ts'

/** Routes that are requested every few seconds. Their successes are logged at level `debug`. */
export const probePatterns: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

const Alive = t.Object({ status: t.Literal('alive') }, { title: 'Liveness', examples: [{ status: 'alive' }] })
const Ready = t.Object({ status: t.Literal('ready') }, { title: 'Readiness', examples: [{ status: 'ready' }] })

/** The probes for orchestrators and load balancers. */
export const probeRoutes = (probes: Probes, kit: HttpKit) =>
  new Elysia({ name: 'keyward.probes' })
    .use(kit.plugin)
    .get('/livez', () => ({ status: 'alive' as const }), {
      open: true,
      limit: { none: 'answers one word, and an orchestrator would restart the process after a refusal' },
      response: { 200: answer('The process is alive', Alive), ...plainProblems() },
      detail: { operationId: 'getLiveness', summary: 'Check that the process is alive', tags: ['operation'] },
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
          none: 'concurrent requests share one check, and a load balancer would remove the process after a refusal',
        },
        response: {
          200: answer('The service can take requests', Ready),
          ...plainProblems('not_ready', 'shutting_down'),
        },
        detail: {
          operationId: 'getReadiness',
          summary: 'Check that the service is ready',
          description:
            'Ready means that the database takes writes, its migrations are applied and there is a signing key. The `detail` of a `503` names the problem; its code is `shutting_down` while a stopping process finishes its requests.',
          tags: ['operation'],
        },
      },
    )
