import { type EpochMs, SECOND } from '../../lib/clock.ts'
import { type Client, isLoopbackUri } from '../clients/clients.ts'
import type { BrowserSession } from '../sessions/sessions.ts'
import { type Level, levelOf, levels, reaches } from '../tokens/tokens.ts'
import type { AuthorizationError, AuthorizationRequest } from './authorization-request.ts'
import * as consents from './consents.store.ts'
import { countedUser, mayUse } from './may-use.ts'
import type { OpenIdNeeds } from './openid.ts'

/** What a browser has shown beside the request. */
export interface AuthorizationVisit {
  /** The live session of the browser; undefined when nobody is signed in. */
  browser: BrowserSession | undefined
  /** When the request first came, before any sign-in for it. */
  seen: EpochMs
  /** The level for which the user was sent to the page for another factor, by this request. */
  level?: Level | undefined
  /** True when the user has just pressed "Allow" on the consent page of this request. */
  isAllowed?: boolean
}

/** What happens next with an authorization request. */
export type Decision =
  | { kind: 'grant'; browser: BrowserSession }
  | { kind: 'consent'; browser: BrowserSession }
  /** `create` leads to the form for a new account. */
  | { kind: 'sign-in'; create: boolean }
  /** The user is signed in, and has to show another factor. */
  | { kind: 'step-up'; browser: BrowserSession; level: Level }
  | { kind: 'refused'; error: AuthorizationError; description: string }

/**
 * Decides about an authorization request (OpenID Connect Core section 3.1.2.3). With `prompt=none`, no page is shown:
 * what a page would ask is an error.
 */
export async function decide(
  needs: OpenIdNeeds,
  request: AuthorizationRequest,
  visit: AuthorizationVisit,
): Promise<Decision> {
  const { client, prompt } = request
  const hint = request.idTokenHint === undefined ? undefined : await needs.tokens.readIdTokenHint(request.idTokenHint)
  if (request.idTokenHint !== undefined && (!hint || hint.clientId !== client.id))
    return { kind: 'refused', error: 'invalid_request', description: 'id_token_hint is not an ID token of this client' }

  const silent = prompt.has('none')
  const { browser } = visit
  const isAnother = browser !== undefined && hint !== undefined && hint.userId !== browser.user.id
  if (!browser || isTooOld(needs, request, visit) || isAnother) {
    // The user signed in for this request and is not the one of the hint. The page would ask the same again, forever.
    if (silent || (isAnother && browser.authTime >= visit.seen))
      return { kind: 'refused', error: 'login_required', description: 'The user has to sign in' }
    return { kind: 'sign-in', create: prompt.has('create') }
  }

  if (!mayUse(client, browser.user))
    return { kind: 'refused', error: 'access_denied', description: 'The user may not use this client' }

  // A role that the client requires may count only with a second factor.
  const isWithheld = !mayUse(client, await countedUser(needs, browser.user, browser.amr))
  const level = levelFor(request, isWithheld ? 'aal2' : 'aal1')
  if (!reaches(levelOf(browser.amr), level)) {
    // The user comes from the page for another factor without having reached the level. It would ask the same again.
    if (silent || visit.level !== undefined)
      return {
        kind: 'refused',
        error: 'unmet_authentication_requirements',
        description: `The user has to reach the level ${level}`,
      }
    return { kind: 'step-up', browser, level }
  }

  const asks = await asksConsent(needs, request, browser)
  if (!asks || visit.isAllowed) return { kind: 'grant', browser }
  if (silent) return { kind: 'refused', error: asks, description: 'The user has to agree' }
  return { kind: 'consent', browser }
}

/**
 * Returns true when the user has to sign in again. A sign-in after the request came satisfies `prompt` and `max_age`:
 * otherwise the user would be asked forever.
 */
function isTooOld(
  { clock }: OpenIdNeeds,
  { prompt, maxAge }: AuthorizationRequest,
  { browser, seen }: AuthorizationVisit,
): boolean {
  const authTime = browser?.authTime ?? 0
  if (authTime >= seen) return false
  if (prompt.has('login') || prompt.has('select_account') || prompt.has('create')) return true
  return maxAge !== undefined && clock.now() - authTime > maxAge * SECOND
}

/**
 * Returns the level that a sign-in for this request needs: `least`, the one that the client always requires, or the
 * lowest one of `acr_values`, whichever is highest.
 */
function levelFor({ client, acrValues }: AuthorizationRequest, least: Level): Level {
  const isEnough = (level: Level) =>
    reaches(level, least) &&
    (client.requiredAcr === null || reaches(level, client.requiredAcr)) &&
    (acrValues === undefined || acrValues.some((asked) => reaches(level, asked)))
  return levels.find(isEnough) ?? 'phr'
}

/**
 * Returns why the user has to be asked; undefined when that is not needed.
 * - `prompt=consent` always asks.
 * - A public client at a loopback address or a scheme of its own asks in every new browser session, because any program
 *   on the device can take its name (RFC 8252 section 8.6).
 * - Other clients ask once, and again for further scopes; a trusted client never asks.
 */
async function asksConsent(
  { store: db }: OpenIdNeeds,
  { client, redirectUri, prompt, scope }: AuthorizationRequest,
  browser: BrowserSession,
): Promise<'consent_required' | 'interaction_required' | undefined> {
  if (prompt.has('consent')) return 'consent_required'
  const isUnvouched = isNative(client, redirectUri)
  if (client.isTrusted && !isUnvouched) return undefined
  const given = await consents.find(db, { userId: browser.user.id, clientId: client.id })
  const covers = given !== undefined && scope.split(' ').every((word) => given.scopes.includes(word))
  if (isUnvouched)
    return prompt.has('none') || !covers || given.grantedAt < browser.createdAt ? 'interaction_required' : undefined
  return covers ? undefined : 'consent_required'
}

/** True for a program on the user's device: nobody but the user can tell which program it is. */
export const isNative = ({ isPublic }: Client, redirectUri: string): boolean =>
  isPublic && (isLoopbackUri(redirectUri) || !/^https?:/.test(redirectUri))
