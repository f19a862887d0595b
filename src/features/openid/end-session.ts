import type { Client } from '../clients/clients.ts'
import type { BrowserSession } from '../sessions/sessions.ts'
import type { OpenIdNeeds } from './openid.ts'

/** The parameters of a logout (OpenID Connect RP-Initiated Logout 1.0 section 2), as they were sent. */
export type LogoutParameters = Readonly<Record<string, string>>

export interface LogoutAsked {
  /** The live session of the browser; undefined when nobody is signed in. */
  browser: BrowserSession | undefined
  /** True when the user has just said yes on the page of this request. */
  isConfirmed?: boolean
  ip: string
}

/** What the browser gets for a logout. `address` is that of the client, if it may be called. */
export type Logout =
  /** The request contradicts itself, so nothing ends. */
  | { kind: 'refused' }
  | { kind: 'ask'; browser: BrowserSession; client: Client | undefined; address: string | undefined }
  /** Nobody is signed in any more. */
  | { kind: 'done'; address: string | undefined }

/**
 * See `OpenId.endSession`. The cookie decides whose session ends; an ID token as hint only saves the question. So a
 * foreign page that sends the browser here can sign nobody out by surprise.
 */
export async function endSession(needs: OpenIdNeeds, sent: LogoutParameters, asked: LogoutAsked): Promise<Logout> {
  const { tokens, sessions, clients } = needs
  const { browser, isConfirmed = false, ip } = asked
  const hint = sent.id_token_hint ? await tokens.readIdTokenHint(sent.id_token_hint) : undefined
  if (hint && sent.client_id && sent.client_id !== hint.clientId) return { kind: 'refused' }
  const clientId = hint?.clientId ?? (sent.client_id || undefined)
  const client = clientId === undefined ? undefined : await clients.find(clientId)

  const wanted = sent.post_logout_redirect_uri || undefined
  const mayCall = hint !== undefined && wanted !== undefined && client?.postLogoutRedirectUris.includes(wanted)
  // An address that is not registered, or for which nothing vouches, is not called. The user is asked instead.
  const isClear = wanted === undefined || mayCall

  if (!browser) {
    if (hint && isClear) await sessions.endClientSession({ id: hint.sessionId, reason: 'logout', ip })
  } else {
    const isOwn = hint?.userId === browser.user.id && (await sessions.isBelow(hint.sessionId, browser.id))
    if (!isConfirmed && !(isOwn && isClear))
      return { kind: 'ask', browser, client, address: mayCall ? wanted : undefined }
    await sessions.endBrowser(browser, ip)
  }
  return { kind: 'done', address: mayCall ? withState(wanted, sent.state) : undefined }
}

function withState(address: string, state: string | undefined): string {
  if (!state) return address
  return `${address}${address.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`
}
