import { KeywardError } from '../../errors.ts'
import { violatedForeignKey } from '../../storage/conflicts.ts'
import type { Client } from '../clients/clients.ts'
import type { BrowserSession } from '../sessions/sessions.ts'
import type { Level } from '../tokens/tokens.ts'
import {
  type AuthorizationRequest,
  type PageReason,
  type ReadRequest,
  type ResponseMode,
  readAuthorizationRequest,
} from './authorization-request.ts'
import { issueCode } from './codes.ts'
import { recordConsent } from './consents.ts'
import { type AuthorizationVisit, decide } from './decide.ts'
import type { OpenIdNeeds } from './openid.ts'

/** What the browser gets for an authorization request. */
export type Authorization =
  | { kind: 'page'; reason: PageReason }
  /** An answer to the client, at an address that is registered. `parameters` are those of the answer alone. */
  | { kind: 'answer'; client: Client; redirectUri: string; mode: ResponseMode; parameters: Record<string, string> }
  | { kind: 'sign-in'; request: AuthorizationRequest; create: boolean }
  /** The user of the browser session has to show another factor, so that the session reaches `level`. */
  | { kind: 'step-up'; request: AuthorizationRequest; browser: BrowserSession; level: Level }
  | { kind: 'consent'; request: AuthorizationRequest; browser: BrowserSession }

/** A visit, and where it came from. */
export interface AuthorizationAsked extends AuthorizationVisit {
  ip: string
}

/** See `OpenId.authorize`. */
export async function authorize(needs: OpenIdNeeds, query: string, asked: AuthorizationAsked): Promise<Authorization> {
  const read = await readAuthorizationRequest(query, needs.clients.findForRequest)
  if (read.kind === 'page') return showPage(needs, read)
  if (read.kind === 'refused') return refuse(needs, read.refused, read.refused.client)
  const { request } = read
  const decision = await decide(needs, request, asked)
  switch (decision.kind) {
    case 'refused':
      return refuse(needs, { ...request, ...decision }, request.client)
    case 'sign-in':
      return { kind: 'sign-in', request, create: decision.create }
    case 'step-up':
      return { kind: 'step-up', request, browser: decision.browser, level: decision.level }
    case 'consent':
      return { kind: 'consent', request, browser: decision.browser }
    case 'grant':
      return grant(needs, request, decision.browser, asked)
  }
}

/** See `OpenId.deny`. */
export async function deny(needs: OpenIdNeeds, query: string): Promise<Authorization> {
  const read = await readAuthorizationRequest(query, needs.clients.findForRequest)
  if (read.kind === 'page') return showPage(needs, read)
  if (read.kind === 'refused') return refuse(needs, read.refused, read.refused.client)
  const said = { error: 'access_denied', description: 'The user did not agree' } as const
  return refuse(needs, { ...read.request, ...said }, read.request.client)
}

async function grant(
  needs: OpenIdNeeds,
  request: AuthorizationRequest,
  browser: BrowserSession,
  { ip, isAllowed }: AuthorizationAsked,
): Promise<Authorization> {
  const { limits } = needs
  const by = { userId: browser.user.id, ip }
  let code: string
  try {
    const place = await limits.reserve([{ rule: 'authorize.session', key: browser.id }], by)
    place.keep()
    await recordConsent(needs, request, { ...by, sessionId: browser.id }, isAllowed)
    code = await issueCode(needs, request, browser)
  } catch (error) {
    // The client or the user was deleted meanwhile. The next request finds out which of them.
    const isRefusal = error instanceof KeywardError && error.code !== 'internal'
    if (!isRefusal && !violatedForeignKey(error)) throw error
    const description = isRefusal ? error.message : 'Something has changed meanwhile'
    const said = { error: 'temporarily_unavailable', description } as const
    return refuse(needs, { ...request, ...said }, request.client)
  }
  return answer(needs, request, { code })
}

type AnswerTo = Pick<AuthorizationRequest, 'client' | 'redirectUri' | 'responseMode' | 'state'>

/** Every answer says who made it, so that a client of several servers notices a mix-up (RFC 9207). */
const answer = (
  { issuer }: OpenIdNeeds,
  { client, redirectUri, responseMode, state }: AnswerTo,
  parameters: Record<string, string>,
): Authorization => ({
  kind: 'answer',
  client,
  redirectUri,
  mode: responseMode,
  parameters: { ...parameters, ...(state !== undefined && { state }), iss: issuer },
})

const refuse = (
  needs: OpenIdNeeds,
  { error, description, ...to }: Omit<AnswerTo, 'client'> & { error: string; description: string },
  client: Client,
): Authorization => answer(needs, { ...to, client }, { error, error_description: description })

/** The most characters that the log shows of the address, and of the registered ones: strangers can make such lines. */
const LOGGED = 300

/** The page says nothing exact to a person, so the log has what the people who run the application need. */
function showPage({ log }: OpenIdNeeds, read: Extract<ReadRequest, { kind: 'page' }>): Authorization {
  const { reason, client, redirectUri } = read
  if (client && redirectUri !== undefined)
    log.warn('redirect_uri_not_registered', {
      client_id: client.id,
      sent: redirectUri.slice(0, LOGGED),
      registered: client.redirectUris.join(' ').slice(0, LOGGED),
      hint: `compare them with: keyward clients check ${client.id} ADDRESS`,
    })
  return { kind: 'page', reason }
}
