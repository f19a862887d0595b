import { Elysia, t } from 'elysia'
import { KeywardError } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { pathOf } from '../../http/route-table.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { answerStatic, type StaticContent } from '../../lib/static-content.ts'
import type { Documentation } from './documentation.ts'

/**
 * The routes of the OpenAPI document, of the page that shows it, and of the guide.
 * @param hasAccount true when there are pages of the account: the first page then leads there, and not to `/docs`
 */
export function documentationRoutes(documentation: Documentation, kit: HttpKit, hasAccount: boolean) {
  const first = ({ request }: { request: Request }) => {
    if (!hasAccount) return new Response(null, { status: 302, headers: { location: 'docs' } })
    if (!/\btext\/html\b/i.test(request.headers.get('accept') ?? '')) throw new KeywardError('not_found')
    return new Response(null, { status: 303, headers: { location: 'account' } })
  }
  return (
    new Elysia({ name: 'keyward.documentation' })
      .use(kit.plugin)
      .get('/', first, {
        ...open,
        response: { 302: toDocs, 303: toAccount, ...plainProblems('not_found') },
        detail: {
          summary: 'Go to the account',
          description:
            'A browser goes to the pages of the account, any other client gets `404`. Without these pages everybody goes to the documentation.',
          tags: ['documentation'],
        },
      })
      .get('/docs', async ({ request }) => answerStatic(request, await documentation.page()), {
        ...open,
        response: { 200: html, 304: unchanged, ...plainProblems() },
        detail: { summary: 'Read and try this documentation', tags: ['documentation'] },
      })
      .get(
        '/docs/:file',
        async ({ request, params }) => answerStatic(request, orNotFound(await documentation.file(params.file))),
        {
          ...open,
          params: t.Object({ file: t.String({ description: 'As the page names it' }) }),
          response: { 200: script, 304: unchanged, 308: moved, ...plainProblems('not_found') },
          detail: { summary: 'Get a script or a style of the documentation', tags: ['documentation'] },
        },
      )
      // Elysia uses this route for `/docs/guide` too. The relative links of the page would be wrong at `/docs/guide`,
      // so the route answers with a redirect.
      .get(
        '/docs/guide/',
        async ({ request }) =>
          pathOf(request.url).endsWith('/')
            ? answerStatic(request, orNotFound(await documentation.guide('')))
            : new Response(null, { status: 308, headers: { location: 'guide/' } }),
        {
          ...open,
          response: { 200: html, 304: unchanged, ...plainProblems() },
          detail: { summary: 'Read the contents of the guide', tags: ['documentation'] },
        },
      )
      .get(
        '/docs/guide/:chapter',
        async ({ request, params }) => answerStatic(request, orNotFound(await documentation.guide(params.chapter))),
        {
          ...open,
          params: t.Object({
            chapter: t.String({ description: 'As the contents name it', examples: ['quick-start'] }),
          }),
          response: { 200: html, 304: unchanged, ...plainProblems('not_found') },
          detail: { summary: 'Read a chapter of the guide', tags: ['documentation'] },
        },
      )
      .get('/openapi.json', async ({ request }) => answerStatic(request, await documentation.document()), {
        ...open,
        response: { 200: openApi, 304: unchanged, ...plainProblems() },
        detail: { summary: 'Get the OpenAPI document', tags: ['documentation'] },
      })
  )
}

const open = { open: true, limit: { none: 'public and read from memory' } } as const

function orNotFound(content: StaticContent | undefined): StaticContent {
  if (content === undefined) throw new KeywardError('not_found')
  return content
}

const named = { ETag: 'Names this version (RFC 9110 section 8.8.3)' }
const unchanged = answer('Your copy is current', t.Void(), named)
/**
 * The redirect from `/docs/guide`. The route `/docs/{file}` declares this answer, because in OpenAPI no other path
 * matches `/docs/guide`.
 */
const moved = answer('See the contents of the guide', t.Void(), {
  Location: 'The contents of the guide, relative to this address',
})
const toDocs = answer('See the documentation', t.Void(), { Location: 'The documentation, relative to this address' })
const toAccount = answer('See your account', t.Void(), { Location: 'The account, relative to this address' })
const html = answer('The page', t.String({ contentMediaType: 'text/html', examples: ['<!doctype html>…'] }), named)
const script = answer(
  'The file; a style is `text/css`',
  t.String({ contentMediaType: 'text/javascript', examples: ['…'] }),
  named,
)
const openApi = answer(
  'OpenAPI 3.1',
  t.Object({ openapi: t.String() }, { additionalProperties: true, examples: [{ openapi: '3.1.0' }] }),
  named,
)
