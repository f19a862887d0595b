import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import { answer, plainProblems } from '../../http/schemas.ts'
import { PasskeyEndpoints, RelatedOrigins } from './schemas.ts'

/** How long browsers and proxies may keep the documents of passkeys, in seconds. */
const MAX_AGE_SECONDS = 3_600

export interface PasskeyDocuments {
  /** The origins that may use passkeys; undefined with `PASSKEYS=off`. */
  origins: readonly string[] | undefined
  /** The address of the page on which people manage their passkeys; undefined without pages. */
  page: string | undefined
}

/** The routes of the documents about passkeys that browsers and password managers look for. */
export function passkeyDocumentRoutes({ origins, page }: PasskeyDocuments, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.passkey-documents' }).use(kit.plugin)
  if (origins === undefined) return routes
  const open = { open: true, limit: { none: 'public and read from memory' } } as const
  const kept = (headers: Record<string, string | number>) => {
    headers['cache-control'] = `public, max-age=${MAX_AGE_SECONDS}`
  }
  return routes
    .get(
      '/.well-known/webauthn',
      ({ set }) => {
        kept(set.headers)
        return { origins: origins.filter((origin) => origin.startsWith('https://')) }
      },
      {
        ...open,
        response: { 200: answer('The related origins (WebAuthn section 5.11)', RelatedOrigins), ...plainProblems() },
        detail: {
          operationId: 'getRelatedOrigins',
          summary: 'Get the origins that may use passkeys',
          description:
            'The origin of `PUBLIC_URL` and those of `WEBAUTHN_ORIGINS`. A browser asks for it at the domain of the passkeys (`WEBAUTHN_RP_ID`), so the proxy of that domain must forward it.',
          tags: ['factors'],
        },
      },
    )
    .get(
      '/.well-known/passkey-endpoints',
      ({ set }) => {
        kept(set.headers)
        return page === undefined ? {} : { enroll: page, manage: page }
      },
      {
        ...open,
        response: { 200: answer('The addresses of the pages', PasskeyEndpoints), ...plainProblems() },
        detail: {
          operationId: 'getPasskeyEndpoints',
          summary: 'Get the addresses at which people manage their passkeys',
          description:
            'For password managers (W3C, A Well-Known URL for Relying Party Passkey Endpoints). Without pages, nothing is in it.',
          tags: ['factors'],
        },
      },
    )
}
