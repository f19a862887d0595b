import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { locationFrom } from '../../http/location.ts'
import { pathOf } from '../../http/route-table.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Provider } from '../social/social.ts'
import type { Administration } from './administration.ts'
import { actorWith, done, refusals, writeRefusals } from './parts.schemas.ts'
import {
  NewProviderBody,
  ProviderChangeBody,
  ProviderList,
  ProviderPath,
  ProviderTest,
  ProviderView,
  toNewProvider,
  toProviderChange,
  toProviderTest,
  toProviderView,
} from './providers.schemas.ts'

/** Routes with which administrators set up the services with which people sign in. */
export function providerRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'providers:write', fresh: true, limit: 'account' } as const
  const viewOf = (provider: Provider) => toProviderView(provider, administration.callbackOf(provider.name))
  return new Elysia({ name: 'keyward.administration.providers' })
    .use(kit.plugin)
    .get('/admin/providers', async () => ({ items: (await administration.listProviders()).map(viewOf) }), {
      access: 'providers:read',
      response: { 200: answer('The providers', ProviderList), ...problems(...refusals) },
      detail: {
        operationId: 'listProviders',
        summary: 'List the providers of social login',
        description: 'All of them, by name. No answer has a client secret.',
        tags: ['administration'],
      },
    })
    .get('/admin/providers/:name', async ({ params }) => viewOf(await administration.findProvider(params.name)), {
      access: 'providers:read',
      params: ProviderPath,
      response: { 200: answer('The provider', ProviderView), ...problems(...refusals, 'provider_not_found') },
      detail: { operationId: 'getProvider', summary: 'Get a provider of social login', tags: ['administration'] },
    })
    .post(
      '/admin/providers',
      async ({ request, body, set }) => {
        const provider = await administration.addProvider(actorOf(request), toNewProvider(body))
        set.status = 201
        set.headers.location = locationFrom(pathOf(request.url), `/admin/providers/${provider.name}`)
        return viewOf(provider)
      },
      {
        ...change,
        parse: 'strictJson',
        body: NewProviderBody,
        response: {
          201: answer('The new provider', ProviderView, {
            Location: 'Where to read the provider, relative to this address',
          }),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'provider_taken'),
        },
        detail: {
          operationId: 'createProvider',
          summary: 'Add a provider of social login',
          description:
            'Give the provider the `callback_url` of the answer as its redirect URI. The secret is stored sealed, and no answer has it. `name`, `kind`, `issuer` and `tenant` cannot change later.',
          tags: ['administration'],
        },
      },
    )
    .patch(
      '/admin/providers/:name',
      async ({ request, params, body }) =>
        viewOf(await administration.updateProvider(actorOf(request), params.name, toProviderChange(body))),
      {
        ...change,
        params: ProviderPath,
        parse: 'strictJson',
        body: ProviderChangeBody,
        response: {
          200: answer('The provider', ProviderView),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'provider_not_found'),
        },
        detail: {
          operationId: 'updateProvider',
          summary: 'Change a provider of social login',
          description:
            'Changes the members that you send, at once. With `enabled: false` its identities sign nobody in, and stay linked.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/providers/:name/test',
      async ({ request, params }) => toProviderTest(await administration.checkProvider(actorOf(request), params.name)),
      {
        access: 'providers:write',
        fresh: true,
        limit: 'account',
        params: ProviderPath,
        response: {
          200: answer('What the test has found', ProviderTest),
          ...problems(...writeRefusals, 'provider_not_found'),
        },
        detail: {
          operationId: 'testProvider',
          summary: 'Test a provider of social login',
          description:
            'Reads the metadata and the keys of the issuer, and sends the credentials with a code that cannot exist. Nothing is changed.',
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/providers/:name',
      async ({ request, params, set }) => {
        await administration.removeProvider(actorOf(request), params.name)
        set.status = 204
      },
      {
        ...change,
        params: ProviderPath,
        response: { 204: done('The provider is deleted'), ...problems(...writeRefusals, 'provider_not_found') },
        detail: {
          operationId: 'deleteProvider',
          summary: 'Delete a provider of social login',
          description: 'The links of its users stay, and work again with a new provider of the same issuer.',
          tags: ['administration'],
        },
      },
    )
}
