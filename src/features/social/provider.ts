import type { EpochMs } from '../../lib/clock.ts'

export const providerKinds = ['oidc', 'google', 'microsoft', 'gitlab', 'github', 'discord', 'apple'] as const
export type ProviderKind = (typeof providerKinds)[number]

export const isProviderKind = (word: string): word is ProviderKind =>
  (providerKinds as readonly string[]).includes(word)

export const linkModes = ['ask', 'automatic'] as const
/**
 * What happens when an identity comes with the proved address of an account: with `ask`, the owner of the account
 * confirms the link; with `automatic`, an account without permissions is linked at once.
 */
export type LinkMode = (typeof linkModes)[number]

export const authMethods = ['basic', 'post'] as const
/** How Keyward sends its client secret: `client_secret_basic` or `client_secret_post` (RFC 6749 section 2.3.1). */
export type AuthMethod = (typeof authMethods)[number]

/** What only some kinds of providers have. A member that a kind does not have is undefined. */
export interface ProviderSettings {
  /** Microsoft: the id of a tenant, or one of `sharedTenants`. */
  tenant?: string | undefined
  /** Google: only users of this Google Workspace domain may sign in, by the claim `hd`. */
  hostedDomain?: string | undefined
  /** Apple: the id of the developer team, and the id of the private key. */
  teamId?: string | undefined
  keyId?: string | undefined
  /** The scopes to ask for, instead of those of the kind. */
  scopes?: readonly string[] | undefined
  authMethod?: AuthMethod | undefined
}

/** The tenants of Microsoft that contain many organizations, or the personal accounts. */
export const sharedTenants = ['common', 'organizations', 'consumers'] as const

/** True for the tenants whose administrators together are not one organization. */
export const isSharedTenant = (tenant: string | undefined): boolean =>
  (sharedTenants as readonly (string | undefined)[]).includes(tenant)

/** A service with which people sign in, without its secret. */
export interface Provider {
  /** 1 to 32 small letters, digits and hyphens; a part of the address of the callback. */
  name: string
  kind: ProviderKind
  /** What the button says. */
  label: string
  /** The issuer of ID tokens, or for GitHub and Discord the address of the service. It has no slash at its end. */
  issuer: string
  clientId: string
  hasSecret: boolean
  settings: ProviderSettings
  /** True when the provider's word that an address is verified counts. */
  trustsEmail: boolean
  link: LinkMode
  /** True when people without an account get one. */
  signsUp: boolean
  isEnabled: boolean
  createdAt: EpochMs
  updatedAt: EpochMs
}

/** A provider as an administrator describes it. What is undefined gets the default of the kind. */
export interface NewProvider extends ProviderSettings {
  name: string
  kind: ProviderKind
  label?: string | undefined
  /** Needed for `oidc`; also for GitLab and GitHub on a host of your own. */
  issuer?: string | undefined
  clientId: string
  /** The client secret; for Apple the private key, a text in PEM. */
  clientSecret?: string | undefined
  trustsEmail?: boolean | undefined
  link?: LinkMode | undefined
  signsUp?: boolean | undefined
  isEnabled?: boolean | undefined
}

/**
 * A change of a provider. What is undefined stays. Name, kind, issuer and tenant cannot change: they say whose identities
 * these are, and to whom the secret goes.
 */
export type ProviderChange = Partial<Omit<NewProvider, 'name' | 'kind' | 'issuer' | 'tenant'>>
