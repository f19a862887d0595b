import { Elysia } from 'elysia'
import type { HttpKit } from '../../http/kit.ts'
import type { Pages } from '../../pages/pages.tsx'
import { shown, submitted } from '../../pages/routes.ts'
import type { Invitations } from './invitations.ts'
import { inviteDone, inviteView } from './pages/invite.tsx'

export interface InvitationPagesNeeds {
  /** Undefined when `PAGES` is `off`; then this feature has no page routes. */
  pages: Pages | undefined
  /** The least number of characters in a password. */
  minLength: number
}

/** The page to which an invitation leads. It does what `POST /invitation/accept` does. */
export function invitationPages(invitations: Invitations, { pages, minLength }: InvitationPagesNeeds, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.invitation-pages' }).use(kit.plugin)
  if (pages === undefined) return routes
  return routes
    .get(
      '/invite',
      ({ request }) =>
        pages.show(request, async (visit) => {
          if ('done' in visit.input) return inviteDone(visit)
          return inviteView(visit, { invited: await invitations.find(visit.input.token ?? ''), minLength })
        }),
      {
        ...open,
        limit: { none: 'the token has 256 random bits, and nothing else is read' },
        response: shown('invalid_or_expired'),
        detail: { summary: 'Accept an invitation', tags: ['pages'] },
      },
    )
    .post(
      '/invite',
      ({ request }) =>
        pages.submit(request, {
          async act({ input: { token = '', username, password = '' }, locale }) {
            await invitations.accept({ token, username, password, locale, ...kit.requester(request) })
            return '/invite?done'
          },
          async again(visit, problem) {
            const invited = await invitations.find(visit.input.token ?? '')
            return inviteView(visit, { invited, minLength, problem })
          },
        }),
      {
        ...open,
        limit: { none: 'the token has 256 random bits; without it no password is hashed' },
        parse: 'none',
        response: submitted('invalid_or_expired', 'username_taken', 'email_taken', 'overloaded'),
        detail: { summary: 'Set username and password', tags: ['pages'] },
      },
    )
}

const open = { open: true, page: true } as const
