import { Elysia, t } from 'elysia'
import { KeywardError } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { createDocument, type DocumentOptions } from '../../http/openapi/document.ts'
import { plainProblems, withHeaders } from '../../http/schemas.ts'
import { pageSecurityPolicy } from '../../http/security-headers.ts'
import { answerStatic, type StaticContent, staticContent } from '../../http/static-content.ts'
import { docsFiles, docsPage } from './page.ts'

/** Good for a moment only: the next version of Keyward has another document under the same address. */
const revalidated = 'public, no-cache'
/** The name holds the hash of the content. */
const forever = 'public, max-age=31536000, immutable'

/**
 * The OpenAPI document and a page to read and try it. Both are made at the first request and kept: most processes
 * never show them, and the page's files alone are two megabytes.
 * @param routes asked when the document is made: all the routes of the service, these among them
 */
export function docsRoutes(
  { config }: { config: { PUBLIC_URL: string } },
  kit: HttpKit,
  routes: () => DocumentOptions['routes'],
) {
  const files = once(async () => {
    const contents = Object.entries(docsFiles).map(async ([name, { path, type }]) => {
      const file = Bun.file(path)
      const content = await staticContent({ 'content-type': type, 'cache-control': forever }, await file.bytes(), file)
      return [name, content] as const
    })
    return new Map(await Promise.all(contents))
  })
  const document = once(async () => {
    const made = await createDocument({ routes: routes(), publicUrl: config.PUBLIC_URL })
    return staticContent({ 'content-type': 'application/json', 'cache-control': revalidated }, JSON.stringify(made))
  })
  const page = once(async () => {
    const contents = await files()
    const html = docsPage((file) => `docs/${addressOf(file, contents.get(file)!)}`)
    return staticContent(
      {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': revalidated,
        'content-security-policy': pageSecurityPolicy,
      },
      html,
    )
  })

  return new Elysia({ name: 'keyward.docs' })
    .use(kit.plugin)
    .get('/docs', async ({ request }) => answerStatic(request, await page()), {
      open: true,
      limit: { none: 'public and read from memory' },
      response: { 200: html, 304: unchanged, ...plainProblems() },
      detail: { summary: 'Read and try this documentation', tags: ['documentation'] },
    })
    .get(
      '/docs/:file',
      async ({ request, params }) => {
        const found = [...(await files())].find(([name, content]) => addressOf(name, content) === params.file)
        if (found === undefined) throw new KeywardError('not_found')
        return answerStatic(request, found[1])
      },
      {
        open: true,
        limit: { none: 'public and read from memory' },
        params: t.Object({
          file: t.String({ description: 'As the page names it' }),
        }),
        response: { 200: script, 304: unchanged, ...plainProblems('not_found') },
        detail: { summary: 'Get a script or a style of the documentation page', tags: ['documentation'] },
      },
    )
    .get('/openapi.json', async ({ request }) => answerStatic(request, await document()), {
      open: true,
      limit: { none: 'public and read from memory' },
      response: { 200: openApi, 304: unchanged, ...plainProblems() },
      detail: { summary: 'Get the OpenAPI document', tags: ['documentation'] },
    })
}

const named = { ETag: 'Names this version (RFC 9110 section 8.8.3)' }
const unchanged = withHeaders(t.Void(), named)
const html = withHeaders(
  t.String({ description: 'The page', contentMediaType: 'text/html', examples: ['<!doctype html>…'] }),
  named,
)
const script = withHeaders(
  t.String({ description: 'The file; a style is `text/css`', contentMediaType: 'text/javascript', examples: ['…'] }),
  named,
)
const openApi = withHeaders(
  t.Object(
    { openapi: t.String() },
    { description: 'OpenAPI 3.1', additionalProperties: true, examples: [{ openapi: '3.1.0' }] },
  ),
  named,
)

/** `swagger-ui-n4bQgYhMfWWaL-qg.css`: new content, new address. */
const addressOf = (file: string, { hash }: StaticContent): string => file.replace(/(\.\w+)$/, `-${hash}$1`)

/** Does the work at the first call and remembers its result; a failure is tried again. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => {
    result ??= work().catch((error) => {
      result = undefined
      throw error
    })
    return result
  }
}
