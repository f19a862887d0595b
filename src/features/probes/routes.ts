import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import type { Probes } from './probes.ts'
import { Alive, Ready } from './schemas.ts'

/** Patterns that are asked every few seconds. Their successes are logged at level `debug`. */
export const probePatterns: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

/** The probes of an orchestrator or a load balancer. */
export const probeRoutes = (probes: Probes, kit: HttpKit) =>
  new Elysia({ name: 'keyward.probes' })
    .use(kit.plugin)
    .get('/livez', () => ({ status: 'alive' as const }), {
      open: true,
      limit: { none: 'says one word, and an orchestrator takes a refusal for a dead process' },
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
          none: 'those who ask at once share one check, and a load balancer takes a refusal for a dead process',
        },
        response: {
          200: answer('The service can take requests', Ready),
          ...plainProblems('not_ready', 'shutting_down'),
        },
        detail: {
          operationId: 'getReadiness',
          summary: 'Check that the service is ready',
          description:
            'Ready means that the database takes writes, its migrations are applied and a signing key is there. `503` says in `detail` what is wrong; its code is `shutting_down` while a stopping process finishes its requests.',
          tags: ['operation'],
        },
      },
    )
