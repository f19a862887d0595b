import { type Static, t } from 'elysia'
import { userIdParameter } from '../../http/query.ts'
import { optionalChoice, optionalText, refusedWith } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { locales } from '../../lib/locale.ts'
import { type AuditRow, auditEvents } from '../audit/audit.ts'
import { toUserView, UserView } from '../users/schemas.ts'
import type { User } from '../users/users.ts'
import { cursor, cursorLike, limit, nextCursor } from './parts.schemas.ts'

export const UserQuery = t.Object({
  q: t.Optional(
    t.String({
      maxLength: 254,
      description: 'The beginning of an email address or a username in any case, or of an id',
      examples: ['ada'],
    }),
  ),
  role: t.Optional(
    t.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: 'Only users who have this role; every user has the role `user`',
      examples: ['user'],
    }),
  ),
  is_active: t.Optional(
    t.Union([t.Literal('true'), t.Literal('false')], {
      description: 'Only active users, or only deactivated ones',
      ...refusedWith('Expected true or false'),
    }),
  ),
  external_id: t.Optional(
    t.String({
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]{1,128}$',
      description: 'Only users who had exactly this id in the service from which they were imported',
      examples: ['a3a2f0f4-6f63-4a26-9d0c-1f2b3c4d5e6f'],
    }),
  ),
  sort: t.Optional(
    t.Union(
      [
        t.Literal('id'),
        t.Literal('-id'),
        t.Literal('created_at'),
        t.Literal('-created_at'),
        t.Literal('email'),
        t.Literal('-email'),
        t.Literal('username'),
        t.Literal('-username'),
      ],
      { description: 'The order; `-` means descending', default: 'id' },
    ),
  ),
  cursor: cursorLike('^[A-Za-z0-9._-]{1,1400}$', '50'),
  limit,
})

/** A user in the answers to administrators. */
export const ManagedUserView = t.Object(
  {
    ...UserView.properties,
    inactive_until: t.Union([t.String(), t.Null()], {
      description: 'When a deactivated user becomes active by itself (RFC 3339, UTC); `null` if there is no such end',
    }),
    invited_at: t.Union([t.String(), t.Null()], {
      description:
        'When the user was last invited (RFC 3339, UTC); `null` after the invitation was accepted, and if there was none',
    }),
  },
  {
    title: 'ManagedUser',
    description: 'A user account, as administrators see it',
    examples: [{ ...(UserView.examples as object[])[0], inactive_until: null, invited_at: null }],
  },
)

export const toManagedUserView = (user: User): Static<typeof ManagedUserView> => ({
  ...toUserView(user),
  inactive_until: user.inactiveUntil === null ? null : rfc3339(user.inactiveUntil),
  invited_at: user.invitedAt === null ? null : rfc3339(user.invitedAt),
})

export const UserPage = t.Object(
  { items: t.Array(ManagedUserView), next_cursor: nextCursor },
  {
    title: 'UserPage',
    description: 'A part of the list of users',
    examples: [{ items: ManagedUserView.examples as unknown[], next_cursor: '1' }],
  },
)

export const AddedUserBody = t.Object(
  {
    email: t.String({ description: 'The address of the user' }),
    username: t.String({ description: 'As in `POST /register`, but reserved words are allowed' }),
    password: optionalText('The password of the user; without it, a mail invites the user to choose one'),
    name: optionalText("The person's name: 1 to 100 characters"),
    locale: optionalChoice(locales, 'The language of mails to the user, the invitation too, and of pages'),
    roles: t.Optional(
      t.Union([t.Array(t.String(), { maxItems: 100 }), t.Null()], {
        description: 'Roles to grant, which needs `roles:write`',
      }),
    ),
  },
  { title: 'AddedUser', examples: [{ email: 'user@example.com', username: 'user123', roles: [] }] },
)

export const UserPath = t.Object({
  id: t.String({ description: 'The `id` of the user', examples: ['1'] }),
})

export const UserRolePath = t.Object({
  ...UserPath.properties,
  role: t.String({ description: 'The name of the role', examples: ['admin'] }),
})

export const UserChangeBody = t.Object(
  {
    is_active: t.Optional(
      t.Union([t.Boolean(), t.Null()], {
        description: '`false` deactivates the user and ends all sessions',
        ...refusedWith('Expected true or false'),
      }),
    ),
    inactive_until: optionalText(
      'With `is_active: false`: when the user becomes active by itself (RFC 3339). A deactivation without it has no end',
    ),
    reason: optionalText('Why the user is deactivated: 1 to 200 characters, for the audit log; not about the person'),
    username: optionalText('The new username: as in `POST /register`, but reserved words are allowed'),
    name: optionalText("The person's name: 1 to 100 characters; `null` removes it"),
  },
  { title: 'UserChange', examples: [{ is_active: false, reason: 'Left the company' }] },
)

export const MailQueued = t.Object(
  { message: t.String({ description: 'A sentence for a person' }) },
  { title: 'MailQueued', examples: [{ message: 'A mail is on its way' }] },
)

export const AuditQuery = t.Object({
  after: cursor,
  event: t.Optional(
    t.Union(
      auditEvents.map((event) => t.Literal(event)),
      { description: 'Only events with this name', ...refusedWith('There is no event with this name') },
    ),
  ),
  user_id: userIdParameter('user_id', 'Only events of the user with this id'),
  limit,
})

const AuditEventView = t.Object(
  {
    id: t.Integer(),
    at: t.String({ description: 'RFC 3339, UTC' }),
    event: t.String(),
    user_id: t.Union([t.Integer(), t.Null()], { description: 'The user to whom it happened' }),
    actor_id: t.Union([t.Integer(), t.Null()], { description: 'The user who did it, if another user did' }),
    session_id: t.Union([t.String(), t.Null()]),
    ip: t.Union([t.String(), t.Null()], {
      description: 'The IP address of the client; after AUDIT_IP_DAYS days only its network',
    }),
    details: t.Union([t.Record(t.String(), t.Union([t.String(), t.Number(), t.Boolean()])), t.Null()]),
  },
  { title: 'AuditEvent', description: 'An event of the audit log' },
)

export const AuditPage = t.Object(
  { items: t.Array(AuditEventView), next_cursor: nextCursor },
  {
    title: 'AuditPage',
    description: 'A part of the audit log, the newest event first',
    examples: [
      {
        items: [
          {
            id: 7,
            at: '2026-01-01T00:00:00.000Z',
            event: 'role.granted',
            user_id: 1,
            actor_id: 2,
            session_id: null,
            ip: '192.0.2.1',
            details: { role: 'admin' },
          },
        ],
        next_cursor: null,
      },
    ],
  },
)

export const toAuditEventView = (row: AuditRow): Static<typeof AuditEventView> => ({
  id: row.id,
  at: rfc3339(row.at),
  event: row.event,
  user_id: row.userId,
  actor_id: row.actorId,
  session_id: row.sessionId,
  ip: row.ip,
  details: row.details === null ? null : (JSON.parse(row.details) as Record<string, string | number | boolean>),
})
