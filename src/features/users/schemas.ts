import { type Static, t } from 'elysia'
import { rfc3339 } from '../../lib/clock.ts'
import { roleNames, type User } from './user.ts'

/** A user in the answers of all routes except `GET /user/user`, which answers with fewer fields. */
export const UserView = t.Object(
  {
    id: t.Integer({ minimum: 1 }),
    email: t.String(),
    username: t.String(),
    name: t.Union([t.String(), t.Null()], { description: 'The name that the person gave; `null` if there is none' }),
    locale: t.Union([t.String(), t.Null()], {
      description: 'The language of mails to the user and of pages; `null` if it is not known',
    }),
    is_active: t.Boolean(),
    email_verified: t.Boolean(),
    roles: t.Array(t.String()),
    created_at: t.String({ description: 'RFC 3339, UTC' }),
  },
  {
    title: 'User',
    description: 'A user account',
    examples: [
      {
        id: 1,
        email: 'user@example.com',
        username: 'user123',
        name: 'Ada Lovelace',
        locale: 'en',
        is_active: true,
        email_verified: false,
        roles: ['user'],
        created_at: '2026-01-01T00:00:00.000Z',
      },
    ],
  },
)

export const toUserView = (user: User): Static<typeof UserView> => ({
  id: user.id,
  email: user.email,
  username: user.username,
  name: user.name,
  locale: user.locale,
  is_active: user.isActive,
  email_verified: user.emailVerifiedAt !== null,
  roles: roleNames(user),
  created_at: rfc3339(user.createdAt),
})
