import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { refuseUnknownParameters } from '../../http/query.ts'
import { answer, bodyProblems, problems } from '../../http/schemas.ts'
import type { Administration } from './administration.ts'
import { ApiKeyPage, ApiKeyPath, ApiKeyQuery, NewApiKeyBody, NewApiKeyView, toApiKeyView } from './api-keys.schemas.ts'
import { actorWith, cursorOf, done, PAGE, refusals, writeRefusals } from './parts.schemas.ts'

const rank = 'You need every permission that the owner of the key has.'

/** Routes with which administrators list, create and revoke API keys. */
export function apiKeyRoutes(administration: Administration, kit: HttpKit) {
  const actorOf = actorWith(kit)
  const change = { access: 'api-keys:write', fresh: true, limit: 'account' } as const
  return new Elysia({ name: 'keyward.administration.api-keys' })
    .use(kit.plugin)
    .get(
      '/admin/api-keys',
      async ({ request, query }) => {
        refuseUnknownParameters(request.url, Object.keys(ApiKeyQuery.properties))
        const { owner_id: ownerId, cursor = '0', limit = PAGE } = query
        const { items, next } = await administration.listApiKeys({ ownerId, after: Number(cursor), limit })
        return { items: items.map(toApiKeyView), next_cursor: cursorOf(next) }
      },
      {
        access: 'api-keys:read',
        query: ApiKeyQuery,
        response: { 200: answer('A page of API keys', ApiKeyPage), ...problems(...refusals, 'validation_failed') },
        detail: {
          operationId: 'listApiKeys',
          summary: 'List API keys',
          description: 'API keys by ascending id, including expired and revoked ones. No answer has the text of a key.',
          tags: ['administration'],
        },
      },
    )
    .post(
      '/admin/api-keys',
      async ({ request, body, set }) => {
        const { name, scopes, owner_id, expires_at } = body
        const { key, text } = await administration.createApiKey(actorOf(request), {
          name,
          scopes,
          ownerId: owner_id ?? undefined,
          expiresAt: expires_at ?? undefined,
        })
        set.status = 201
        return { ...toApiKeyView(key), key: text }
      },
      {
        ...change,
        parse: 'strictJson',
        body: NewApiKeyBody,
        response: {
          201: answer('The key with its text', NewApiKeyView),
          ...bodyProblems(...writeRefusals, 'validation_failed', 'user_inactive'),
        },
        detail: {
          operationId: 'createApiKey',
          summary: 'Create an API key',
          description: `The key has the permissions in \`scopes\` as long as its owner has them too. The answer is the only place where its text is shown. ${rank}`,
          tags: ['administration'],
        },
      },
    )
    .delete(
      '/admin/api-keys/:id',
      async ({ request, params, set }) => {
        await administration.revokeApiKey(actorOf(request), params.id)
        set.status = 204
      },
      {
        ...change,
        params: ApiKeyPath,
        response: { 204: done('The key is revoked'), ...problems(...writeRefusals, 'api_key_not_found') },
        detail: {
          operationId: 'revokeApiKey',
          summary: 'Revoke an API key',
          description: `The key is refused at once. It stays in the list. ${rank}`,
          tags: ['administration'],
        },
      },
    )
}
