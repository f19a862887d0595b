import { normalizeEmail, normalizeName } from '../users/users.ts'
import type { Identity } from './identity.ts'
import { isSharedTenant, type Provider } from './provider.ts'

/** What a provider told about a person: the claims of an ID token and of userinfo, or the answer of its API. */
export type Claims = Readonly<Record<string, unknown>>

/** Why an answer of a provider is refused. It is for the log, and contains no value of the answer. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault'
}

/**
 * Makes an identity out of checked claims. One line for each kind says what its word about the address is worth: a claim
 * that is absent is not a true one.
 * @throws UpstreamFault when this account may not sign in here, or the claims say not whose account it is
 */
export const toIdentity = (provider: Provider, claims: Claims): Identity => readers[provider.kind](provider, claims)

const readers: Record<Provider['kind'], (provider: Provider, claims: Claims) => Identity> = {
  // The claim is whatever this issuer writes, so it counts only for an issuer that the administrator trusts.
  oidc: (provider, claims) => ofIdToken(provider, claims, isTrue(claims.email_verified)),
  gitlab: (provider, claims) => ofIdToken(provider, claims, isTrue(claims.email_verified)),
  apple: (provider, claims) => ({
    ...ofIdToken(provider, claims, isTrue(claims.email_verified)),
    // Apple has changed the name of its issuer before.
    issuer: 'https://appleid.apple.com',
  }),
  google(provider, claims) {
    const { hostedDomain } = provider.settings
    // The parameter `hd` of the request is only a hint, which the user can remove. The claim decides.
    if (hostedDomain !== undefined && claims.hd !== hostedDomain) throw new UpstreamFault('hosted_domain')
    return ofIdToken(provider, claims, claims.email_verified === true)
  },
  microsoft(provider, claims) {
    const { tid, oid, email, iss } = claims
    const { tenant } = provider.settings
    if (!isText(tid) || !isText(oid)) throw new UpstreamFault('no_subject')
    if (iss !== `https://login.microsoftonline.com/${tid}/v2.0`) throw new UpstreamFault('issuer')
    if (tenant === 'consumers' ? tid !== CONSUMERS : tenant === 'organizations' && tid === CONSUMERS)
      throw new UpstreamFault('tenant')
    if (!isSharedTenant(tenant) && tid !== tenant) throw new UpstreamFault('tenant')
    const primary = Array.isArray(claims.verified_primary_email) ? claims.verified_primary_email : []
    // `email` is free text of the administrator of the tenant.
    const isProved = isTrue(claims.xms_edov) || primary.includes(email)
    const isVouched = provider.trustsEmail && !isSharedTenant(tenant)
    return {
      ...common(provider, claims),
      issuer: iss,
      subject: oid,
      isEmailProved: isProved || isVouched,
    }
  },
  github(provider, claims) {
    const { id, login, name, emails } = claims
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw new UpstreamFault('no_subject')
    const entries = Array.isArray(emails) ? (emails as unknown[]).filter(isObject) : []
    // `/user` may tell an address that was never verified.
    const primary = entries.find(({ primary, verified }) => primary === true && verified === true)
    return {
      ...common(provider, { preferred_username: login, name, email: primary?.email }),
      issuer: apiOfGithub(provider),
      subject: String(id),
      isEmailProved: provider.trustsEmail && primary !== undefined,
    }
  },
  discord(provider, { id, username, global_name: name, email, verified }) {
    if (!isText(id)) throw new UpstreamFault('no_subject')
    return {
      ...common(provider, { preferred_username: username, name, email }),
      issuer: provider.issuer,
      subject: id,
      isEmailProved: provider.trustsEmail && verified === true,
    }
  },
}

/** The address of the API of GitHub, or of a GitHub Enterprise on a host of its own. */
export const apiOfGithub = ({ issuer }: Pick<Provider, 'issuer'>): string =>
  issuer === 'https://github.com' ? 'https://api.github.com' : `${issuer}/api/v3`

/** The tenant of all personal accounts of Microsoft. */
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'

function ofIdToken(provider: Provider, claims: Claims, isVerified: boolean): Identity {
  if (!isText(claims.sub)) throw new UpstreamFault('no_subject')
  return {
    ...common(provider, claims),
    issuer: provider.issuer,
    subject: claims.sub,
    isEmailProved: provider.trustsEmail && isVerified,
  }
}

function common({ name: provider }: Provider, { email, preferred_username: username, name }: Claims) {
  return {
    provider,
    email: isText(email) ? normalizeEmail(email)?.email : undefined,
    username: isText(username) ? username : undefined,
    name: isText(name) ? (normalizeName(name) ?? undefined) : undefined,
  }
}

/** Some issuers write booleans as text. */
const isTrue = (claim: unknown): boolean => claim === true || claim === 'true' || claim === 1 || claim === '1'

/** A subject has at most 255 characters (OpenID Connect Core section 2). */
const isText = (claim: unknown): claim is string =>
  typeof claim === 'string' && claim !== '' && claim.length <= 255 && !/[\p{Cc}\p{Cs}]/u.test(claim)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
