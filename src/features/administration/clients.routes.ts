import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { locationFrom } from '../../http/location.ts'
import { refuseUnknownParameters } from '../../http/query.ts'
import { pathOf } from '../../http/route-table.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import {
  ClientChangeBody,
  ClientDetails,
  ClientPage,
  ClientPath,
  ClientQuery,
  ClientSecretPath,
  ClientView,
  MadeSecretView,
  NewClientBody,
  NewClientView,
  NewSecretBody,
  toClientChange,
  toClientView,
  toMadeSecretView,
  toSecretView,
} from './clients.schemas.ts'
import { readTime } from './manage-api-keys.ts'
import { actorWith, cursorOf, done, PAGE, refusals, writeRefusals } from './parts.schemas.ts'

/** Routes with which administrators read and change the clients of the OpenID provider. */
export function clientRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'clients:write', fresh: true, limit: 'account' } as const
  return new Elysia({ name: 'keyward.administration.clients' })
    .use(kit.plugin)
    .get(
      '/admin/clients',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(ClientQuery.properties))
        const { cursor = '', limit = PAGE } = query
        const { items, next } = await administration.listClients({ after: cursor, limit })
        return { items: items.map(toClientView), next_cursor: cursorOf(next) }
      },
      {
        access: 'clients:read',
        query: ClientQuery,
        response: { 200: answer('A page of clients', ClientPage), ...problems(...refusals, 'validation_failed') },
        detail: { operationId: 'listClients', summary: 'List clients', tags: ['administration'] },
      },
    )
    .get(
      '/admin/clients/:id',
      async ({ params }) => {
        const client = await administration.findClient(params.id)
        const secrets = await administration.secretsOfClient(client.id)
        return { ...toClientView(client), secrets: secrets.map(toSecretView) }
      },
      {
        access: 'clients:read',
        params: ClientPath,
        response: { 200: answer('The client', ClientDetails), ...problems(...refusals, 'client_not_found') },
        detail: {
          operationId: 'getClient',
          summary: 'Get a client',
          description: 'The answer also has the secrets of the client, without their texts.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/clients',
      async ({ request, body, set }) => {
        const { name, public: isPublic } = body
        const asked = { ...toClientChange(body), name, isPublic: isPublic ?? undefined }
        const { client, secret } = await administration.createClient(actorOf(request), asked)
        set.status = 201
        set.headers.location = locationFrom(pathOf(request.url), `/admin/clients/${client.id}`)
        return { ...toClientView(client), secret: secret?.text ?? null }
      },
      {
        ...change,
        parse: 'strictJson',
        body: NewClientBody,
        response: {
          201: answer('The client with its secret', NewClientView, {
            Location: 'Where to read the client, relative to this address',
          }),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'clients_unavailable'),
        },
        detail: {
          operationId: 'createClient',
          summary: 'Register a client',
          description:
            'A confidential client gets a secret, which only this answer shows. It is refused with `JWT_ALG=HS256`, `JWT_COMPAT=fastapi` or `PAGES=off`.',
          tags: ['administration'],
        },
      },
    )
    .patch(
      '/admin/clients/:id',
      async ({ request, params, body }) =>
        toClientView(await administration.updateClient(actorOf(request), params.id, toClientChange(body))),
      {
        ...change,
        params: ClientPath,
        parse: 'strictJson',
        body: ClientChangeBody,
        response: {
          200: answer('The client', ClientView),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'client_not_found'),
        },
        detail: {
          operationId: 'updateClient',
          summary: 'Change a client',
          description:
            'Changes the members that you send. A list replaces the whole list. `enabled: false` ends all sessions of the client.',
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/clients/:id',
      async ({ request, params, set }) => {
        await administration.deleteClient(actorOf(request), params.id)
        set.status = 204
      },
      {
        ...change,
        params: ClientPath,
        response: { 204: done('The client is deleted'), ...problems(...writeRefusals, 'client_not_found') },
        detail: {
          operationId: 'deleteClient',
          summary: 'Delete a client',
          description: 'Deletes the client with its secrets and consents, and ends its sessions.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/clients/:id/secrets',
      async ({ request, params, body, set }) => {
        const secret = await administration.addClientSecret(actorOf(request), params.id, {
          expiresAt: readTime('expires_at', body.expires_at ?? undefined),
          othersExpireAt: readTime('others_expire_at', body.others_expire_at ?? undefined) ?? undefined,
        })
        set.status = 201
        return toMadeSecretView(secret)
      },
      {
        ...change,
        params: ClientPath,
        parse: 'strictJson',
        body: NewSecretBody,
        response: {
          201: answer('The secret with its text', MadeSecretView),
          ...bodyProblems(
            ...writeRefusals,
            'validation_failed',
            'client_not_found',
            'client_is_public',
            'too_many_secrets',
          ),
        },
        detail: {
          operationId: 'createClientSecret',
          summary: 'Make another secret of a client',
          description:
            'A client has at most two live secrets, so that one replaces the other without a pause. The answer is the only place where the secret is shown.',
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/clients/:id/secrets/:sid',
      async ({ request, params, set }) => {
        await administration.revokeClientSecret(actorOf(request), { id: params.id, secretId: params.sid })
        set.status = 204
      },
      {
        ...change,
        params: ClientSecretPath,
        response: {
          204: done('The secret is revoked'),
          ...problems(...writeRefusals, 'client_not_found', 'client_secret_not_found'),
        },
        detail: {
          operationId: 'revokeClientSecret',
          summary: 'Revoke a secret of a client',
          description: 'The secret is refused at once. Tokens of the client stay valid.',
          tags: ['administration'],
        },
      },
    )
}
