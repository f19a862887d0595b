import type { App } from '../app.ts'
import { ALIVE } from '../features/probes/probes.ts'
import { createPipeline, oneByOne } from '../http/pipeline.ts'
import { pipelineOptions } from '../http/pipeline-options.ts'
import { createRouteTable, pathOf, type Route } from '../http/route-table.ts'
import type { Service } from '../service.ts'

const livez: Route = {
  method: 'GET',
  pattern: '/livez',
  access: 'open',
  oauth: false,
  secret: false,
  proxied: false,
  fresh: false,
  page: false,
  statuses: [200],
}

/**
 * Answers `GET /livez` before the application is made. All other requests wait for the application.
 *
 * A device for speed. When the service is open, what remains of a start is to load and to make the application: Elysia,
 * the routes of all features and their schemas. That takes 45 of 100 ms, and no probe has to wait for it. The answer is
 * the same as that of the application.
 * @param application resolves with the `fetch` of the application
 */
export function answerLiveness(service: Service, application: Promise<App['fetch']>): App['fetch'] {
  const pipeline = createPipeline({
    table: createRouteTable([livez]),
    guard: () => undefined,
    handle: () => Response.json(ALIVE),
    ...pipelineOptions(service),
  })
  const answer = oneByOne(pipeline, service.clock)
  return async (request, target = 'plain') =>
    target === 'plain' && pathOf(request.url) === livez.pattern ? answer(request) : (await application)(request, target)
}
