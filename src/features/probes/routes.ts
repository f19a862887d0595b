import { Elysia, t } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { ALIVE, type Probes } from './probes.ts'

const Alive = t.Object({ status: t.Literal('alive') }, { title: 'Liveness', examples: [{ status: 'alive' }] })
const Ready = t.Object(
  {
    status: t.Literal('ready'),
    mail: t.UnionEnum(['working', 'failing', 'off'], { description: 'Trouble with mail does not change the status' }),
  },
  { title: 'Readiness', examples: [{ status: 'ready', mail: 'working' }] },
)

/** The routes `/livez` and `/readyz`, for orchestrators and load balancers. */
export const probeRoutes = (probes: Probes, kit: HttpKit) =>
  new Elysia({ name: 'keyward.probes' })
    .use(kit.plugin)
    .get('/livez', () => ALIVE, {
      open: true,
      limit: { none: 'answers one word, and an orchestrator would restart the process after a refusal' },
      response: { 200: answer('The process is alive', Alive), ...plainProblems() },
      detail: { operationId: 'getLiveness', summary: 'Check that the process is alive', tags: ['operation'] },
    })
    .get(
      '/readyz',
      async () => {
        await probes.checkReadiness()
        return { status: 'ready' as const, mail: probes.mail() }
      },
      {
        open: true,
        limit: {
          none: 'the requests of one second share one check, and a load balancer would remove the process after a refusal',
        },
        response: {
          200: answer('The service can take requests', Ready),
          ...plainProblems('not_ready', 'shutting_down'),
        },
        detail: {
          operationId: 'getReadiness',
          summary: 'Check that the service is ready',
          description:
            'Ready means that the database takes a write as large as a registration, no write was refused for lack of space in the last 5 seconds, the migrations are applied and there is a signing key. The check runs at most once a second; requests in between get its last result. The `detail` of a `503` names the problem; its code is `shutting_down` while a stopping process finishes its requests.',
          tags: ['operation'],
        },
      },
    )
