import { Elysia } from 'elysia'
import { noteUser } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { preferredLocale } from '../../lib/locale.ts'
import { toUserView, UserView } from '../users/schemas.ts'
import type { Invitations } from './invitations.ts'
import { AcceptInvitationBody } from './schemas.ts'

/** The route that accepts invitations. */
export const invitationRoutes = (invitations: Invitations, kit: HttpKit) =>
  new Elysia({ name: 'keyward.invitations' }).use(kit.plugin).post(
    '/invitation/accept',
    async ({ request, body }) => {
      const locale = preferredLocale(request.headers.get('accept-language'))
      const user = await invitations.accept({ ...body, locale, ...kit.requester(request) })
      noteUser(request, user.id)
      return toUserView(user)
    },
    {
      open: true,
      limit: { none: 'the token has 256 random bits; without it no password is hashed' },
      parse: 'strictJson',
      body: AcceptInvitationBody,
      response: {
        200: answer('Your account', UserView),
        ...bodyProblems('invalid_or_expired', 'validation_failed', 'username_taken', 'email_taken', 'overloaded'),
      },
      detail: {
        operationId: 'acceptInvitation',
        summary: 'Accept an invitation',
        description:
          'Takes the token of the mail that invited you, and the password that you choose. The token works once, for 72 hours, and for 24 hours if the account has any permission. The mail proves your address. Nobody is logged in. After `409` and `422` the token stays good.',
        tags: ['accounts'],
      },
    },
  )
