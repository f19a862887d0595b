import { Elysia, t } from 'elysia'
import type { ErrorCode } from '../errors.ts'
import { KeywardError } from '../errors.ts'
import type { HttpKit } from '../http/kit.ts'
import { answer, plainProblems, problems } from '../http/schemas.ts'
import type { Pages } from './pages.tsx'

/** The route of the style sheet and of the logo. @param pages undefined for no routes (`PAGES=off`) */
export function pageFileRoutes(pages: Pages | undefined, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.pages' }).use(kit.plugin)
  if (pages === undefined) return routes
  return routes.get(
    '/pages/:file',
    ({ params }) => {
      const file = pages.file(params.file)
      if (!file) throw new KeywardError('not_found')
      return file
    },
    {
      open: true,
      page: true,
      limit: { none: 'public and read from memory' },
      params: t.Object({ file: t.String({ description: 'As the page names it' }) }),
      response: {
        200: answer('The style sheet', t.String({ contentMediaType: 'text/css', examples: ['…'] })),
        ...plainProblems('not_found'),
      },
      detail: { summary: 'Get the style sheet or the logo of the pages', tags: ['pages'] },
    },
  )
}

const html = (description: string) =>
  answer(description, t.String({ contentMediaType: 'text/html', examples: ['<!doctype html>…'] }))

/** The documented answers of a page to GET: the page itself, and HTML pages with the statuses of `codes`. */
export const shown = (...codes: ErrorCode[]) => ({ 200: html('The page'), ...problems('invalid_request', ...codes) })

/** The documented answer of a page's path for its script: the options of WebAuthn. */
export const optionsAnswer = {
  200: answer(
    'For `navigator.credentials`',
    t.Object({
      options: t.Unknown({
        description: 'PublicKeyCredentialRequestOptionsJSON or PublicKeyCredentialCreationOptionsJSON',
      }),
      challenge_id: t.Optional(t.String({ description: 'Comes back with the credential that was made' })),
    }),
  ),
}

/** The documented answer of a page that sends the browser on. */
export const toNext = answer('Go to the next page', t.Void(), {
  Location: 'The next page, relative to this address, or an address of an application',
})

/**
 * The documented answers of a page to POST: a redirect to the next page, and HTML pages with the statuses of `codes`.
 */
export const submitted = (...codes: ErrorCode[]) => ({
  303: answer('Go to the next page', t.Void(), { Location: 'The next page, relative to this address' }),
  ...problems(
    'csrf_refused',
    'invalid_request',
    'payload_too_large',
    'unsupported_media_type',
    'validation_failed',
    ...codes,
  ),
})
