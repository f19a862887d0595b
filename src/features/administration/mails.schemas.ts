import { type Static, t } from 'elysia'
import { rfc3339 } from '../../lib/clock.ts'
import type { ListedMail } from '../mail/mail.ts'
import { cursorLike, limit, nextCursor } from './parts.schemas.ts'

const stateDescription =
  '`queued` until the mail server takes the mail; `sent`; `dead` when it was given up; `dropped` when nobody gets it'

const stateWords = (description: string) =>
  t.Union([t.Literal('queued'), t.Literal('sent'), t.Literal('dead'), t.Literal('dropped')], { description })

export const MailView = t.Object(
  {
    id: t.String(),
    kind: t.String({ description: 'What the mail is about' }),
    user_id: t.Union([t.Integer(), t.Null()], {
      description: 'The user who gets it; `null` if there is none, or not yet',
    }),
    recipient: t.String({ description: 'The address to which it goes' }),
    locale: t.String({ description: 'The language of the mail' }),
    state: stateWords(stateDescription),
    attempts: t.Integer({ description: 'How often a server began to send it since it was last queued' }),
    created_at: t.String({ description: 'RFC 3339, UTC' }),
    next_attempt_at: t.Union([t.String(), t.Null()], { description: 'For a queued mail (RFC 3339, UTC)' }),
    ended_at: t.Union([t.String(), t.Null()], {
      description: 'When it was sent, given up or dropped (RFC 3339, UTC); `null` while it is queued',
    }),
    error: t.Union([t.String(), t.Null()], { description: 'Why the last attempt failed' }),
  },
  {
    title: 'Mail',
    description: 'A mail of the outbox, without its text, link and code',
    examples: [
      {
        id: 'Qm9XzYt3l0a1B2c3D4e5Fg',
        kind: 'reset_password',
        user_id: 1,
        recipient: 'user@example.com',
        locale: 'en',
        state: 'dead',
        attempts: 1,
        created_at: '2026-01-01T00:00:00.000Z',
        next_attempt_at: null,
        ended_at: '2026-01-01T00:00:01.000Z',
        error: 'EENVELOPE: 550 no such mailbox',
      },
    ],
  },
)

export const toMailView = (mail: ListedMail): Static<typeof MailView> => ({
  id: mail.id,
  kind: mail.kind,
  user_id: mail.userId,
  recipient: mail.recipient,
  locale: mail.locale,
  state: mail.state,
  attempts: mail.attempts,
  created_at: rfc3339(mail.createdAt),
  next_attempt_at: mail.state === 'queued' ? rfc3339(mail.dueAt) : null,
  ended_at: mail.endedAt === null ? null : rfc3339(mail.endedAt),
  error: mail.error,
})

export const MailPage = t.Object(
  { items: t.Array(MailView), next_cursor: nextCursor },
  {
    title: 'MailPage',
    description: 'A part of the list of mails, the newest first',
    examples: [{ items: MailView.examples as unknown[], next_cursor: null }],
  },
)

export const MailQuery = t.Object({
  state: t.Optional(stateWords('Only mails in this state')),
  cursor: cursorLike('^[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}$', '1767225600000.Qm9XzYt3l0a1B2c3D4e5Fg'),
  limit,
})

type Mark = Pick<ListedMail, 'createdAt' | 'id'>

/** The cursor of a page that ends with this mail. An id alone would not do: the mail may be deleted meanwhile. */
export const toMailCursor = (last: Mark | undefined): string | null => (last ? `${last.createdAt}.${last.id}` : null)

/** Reads a cursor that fits the pattern of `MailQuery`. */
export function fromMailCursor(cursor: string | undefined): Mark | undefined {
  const [createdAt, id] = cursor?.split('.') ?? []
  return createdAt === undefined || id === undefined ? undefined : { createdAt: Number(createdAt), id }
}

export const MailPath = t.Object({
  id: t.String({ description: 'The `id` of the mail', examples: ['Qm9XzYt3l0a1B2c3D4e5Fg'] }),
})
