import { t } from 'elysia'
import { sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, refusedWith } from '../../http/schemas.ts'
import type { Actor } from './change-user.ts'

/** The refusals of every route for administrators. */
export const refusals = ['not_authenticated', 'invalid_token', 'forbidden', 'reauthentication_required'] as const

/** The refusals of every route with which administrators change something. */
export const writeRefusals = [...refusals, 'rate_limited'] as const

/** The answer 204. */
export const done = (description: string) => answer(description, t.Void())

/** Returns a function that makes the administrator out of a request. */
export const actorWith =
  (kit: HttpKit) =>
  (request: Request): Actor => ({ caller: sessionOf(request), ...kit.requester(request) })

const MAX_PAGE = 100

export const limit = t.Optional(
  t.Integer({
    minimum: 1,
    maximum: MAX_PAGE,
    default: 50,
    description: 'The most items of the answer',
    examples: [50],
    ...refusedWith(`The limit must be a whole number from 1 to ${MAX_PAGE}`, 'limit'),
  }),
)

/** The number of items of a page when the query has no `limit`. */
export const PAGE = 50

/** The schema of a `next_cursor` that a client sends back. */
export const cursorLike = (pattern: string, example: string) =>
  t.Optional(
    t.String({
      pattern,
      description: 'The `next_cursor` of the page before; without it, the answer is the first page',
      examples: [example],
      ...refusedWith('Send the next_cursor of the page before, or leave it out'),
    }),
  )

/** A cursor that is the id of the last item. */
export const cursor = cursorLike('^[1-9][0-9]{0,14}$', '50')

export const nextCursor = t.Union([t.String(), t.Null()], {
  description: 'Send it to get the next page; `null` on the last page',
})

export const cursorOf = (next: number | string | undefined): string | null => (next === undefined ? null : String(next))
