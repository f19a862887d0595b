import type { ProviderKind, ProviderSettings } from './provider.ts'

/** The rules of one kind of provider. */
export interface KindRules {
  /** The text of the button when the administrator gives none; undefined for the name of the provider. */
  label: string | undefined
  /** The issuer, or the address of the service; undefined when the administrator must give it. */
  issuer: string | undefined
  /** True when the administrator may give another issuer, for a service on a host of their own. */
  takesIssuer: boolean
  /** The scopes to ask for when the administrator gives none. */
  scopes: readonly string[]
  /** The settings that this kind has. */
  takes: readonly (keyof ProviderSettings)[]
  /** The settings without which this kind does not work. */
  needs: readonly (keyof ProviderSettings)[]
  needsSecret: boolean
  /** True when the service gives ID tokens (OpenID Connect Core 1.0). */
  hasIdToken: boolean
  /**
   * True when the word of the service itself, at its public address, that an address is verified counts by default. On a
   * host of the administrator's own, and for every other issuer, it does not: the claim is whatever that issuer writes.
   */
  trustsEmail: boolean
}

const openid = ['openid', 'email', 'profile']

export const kindRules: Readonly<Record<ProviderKind, KindRules>> = {
  oidc: {
    label: undefined,
    issuer: undefined,
    takesIssuer: true,
    scopes: openid,
    takes: ['scopes', 'authMethod'],
    needs: [],
    needsSecret: false,
    hasIdToken: true,
    trustsEmail: false,
  },
  google: {
    label: 'Google',
    issuer: 'https://accounts.google.com',
    takesIssuer: false,
    scopes: openid,
    takes: ['hostedDomain', 'scopes'],
    needs: [],
    needsSecret: true,
    hasIdToken: true,
    trustsEmail: true,
  },
  microsoft: {
    label: 'Microsoft',
    issuer: undefined,
    takesIssuer: false,
    scopes: openid,
    takes: ['tenant', 'scopes'],
    needs: ['tenant'],
    needsSecret: true,
    hasIdToken: true,
    trustsEmail: false,
  },
  gitlab: {
    label: 'GitLab',
    issuer: 'https://gitlab.com',
    takesIssuer: true,
    scopes: openid,
    takes: ['scopes'],
    needs: [],
    needsSecret: true,
    hasIdToken: true,
    trustsEmail: false,
  },
  github: {
    label: 'GitHub',
    issuer: 'https://github.com',
    takesIssuer: true,
    scopes: ['read:user', 'user:email'],
    takes: ['scopes'],
    needs: [],
    needsSecret: true,
    hasIdToken: false,
    trustsEmail: true,
  },
  discord: {
    label: 'Discord',
    issuer: 'https://discord.com',
    takesIssuer: false,
    scopes: ['identify', 'email'],
    takes: ['scopes'],
    needs: [],
    needsSecret: true,
    hasIdToken: false,
    trustsEmail: true,
  },
  apple: {
    label: 'Apple',
    issuer: 'https://appleid.apple.com',
    takesIssuer: false,
    scopes: ['openid', 'name', 'email'],
    takes: ['teamId', 'keyId', 'scopes'],
    needs: ['teamId', 'keyId'],
    needsSecret: true,
    hasIdToken: true,
    trustsEmail: true,
  },
}

/** The issuer of a tenant of Microsoft. For the shared tenants the issuer of an ID token is that of its own tenant. */
export const issuerOfTenant = (tenant: string): string => `https://login.microsoftonline.com/${tenant}/v2.0`
