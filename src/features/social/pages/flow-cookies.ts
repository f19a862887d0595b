import { KeywardError } from '../../../errors.ts'
import { SECOND } from '../../../lib/clock.ts'
import type { CookieChange, CookieName } from '../../../pages/cookies.ts'
import type { Visit } from '../../../pages/pages.tsx'
import { FLOW_LIFETIME, isFlowId } from '../social.ts'

/** A browser keeps at most 4,096 characters in a cookie. A sealed flow that carries a long request is longer. */
const PIECE = 3_500
const PIECES = 4

const cookieName = (id: string, piece: number): CookieName => `social-${id}${piece === 0 ? '' : `-${piece}`}`

/** Keeps the sealed text of a flow in the browser. An empty text deletes it. */
export function flowCookies(visit: Pick<Visit, 'cookie'>, id: string, sealed: string): CookieChange[] {
  if (sealed.length > PIECE * PIECES) throw new KeywardError('invalid_request')
  return Array.from({ length: PIECES }, (_, piece): CookieChange[] => {
    const value = sealed.slice(piece * PIECE, (piece + 1) * PIECE)
    const name = cookieName(id, piece)
    if (value !== '') return [{ name, value, maxAgeSeconds: FLOW_LIFETIME / SECOND }]
    return visit.cookie(name) === undefined ? [] : [{ name, value: null }]
  }).flat()
}

export const withoutFlow = (visit: Pick<Visit, 'cookie'>, id: string): CookieChange[] => flowCookies(visit, id, '')

/** The sealed text of a flow. @returns undefined when the browser has none */
export function readFlow(visit: Pick<Visit, 'cookie'>, id: string): string | undefined {
  if (!isFlowId(id)) return undefined
  const pieces = Array.from({ length: PIECES }, (_, piece) => visit.cookie(cookieName(id, piece)) ?? '')
  return pieces.join('') || undefined
}
