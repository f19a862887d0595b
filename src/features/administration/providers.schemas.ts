import { type Static, t } from 'elysia'
import { optionalChoice, optionalText, refusedWith } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import {
  authMethods,
  linkModes,
  type NewProvider,
  type Provider,
  type ProviderChange,
  type ProviderCheck,
  type ProviderKind,
  providerKinds,
} from '../social/social.ts'

const textOrNull = (description: string) => t.Union([t.String(), t.Null()], { description })

export const ProviderView = t.Object(
  {
    name: t.String(),
    kind: t.String({ description: `One of ${providerKinds.map((kind) => `\`${kind}\``).join(', ')}` }),
    label: t.String({ description: 'What the button says' }),
    issuer: t.String({ description: 'The issuer of ID tokens, or the address of the service' }),
    client_id: t.String(),
    has_secret: t.Boolean({ description: 'No answer has the secret itself' }),
    callback_url: t.String({ description: 'The redirect URI that the provider needs to know' }),
    tenant: textOrNull('Microsoft only'),
    hosted_domain: textOrNull('Google only: other accounts are refused'),
    team_id: textOrNull('Apple only'),
    key_id: textOrNull('Apple only'),
    auth_method: textOrNull('Kind `oidc` only: `basic` or `post`; `null` for `basic`'),
    scopes: t.Union([t.Array(t.String()), t.Null()], { description: '`null` for the scopes of the kind' }),
    trust_email: t.Boolean({ description: "The provider's word that an address is verified counts" }),
    link: t.String({ description: '`ask` or `automatic`: what happens when an account has the address' }),
    sign_up: t.Boolean({ description: 'People without an account get one' }),
    enabled: t.Boolean(),
    created_at: t.String({ description: 'RFC 3339, UTC' }),
    updated_at: t.String({ description: 'RFC 3339, UTC' }),
  },
  {
    title: 'Provider',
    description: 'A service with which people sign in',
    examples: [
      {
        name: 'github',
        kind: 'github',
        label: 'GitHub',
        issuer: 'https://github.com',
        client_id: 'Iv1.0123456789abcdef',
        has_secret: true,
        callback_url: 'https://auth.example.com/social/github/callback',
        tenant: null,
        hosted_domain: null,
        team_id: null,
        key_id: null,
        auth_method: null,
        scopes: null,
        trust_email: true,
        link: 'ask',
        sign_up: true,
        enabled: true,
        created_at: '2026-01-01T00:00:00.000Z',
        updated_at: '2026-01-01T00:00:00.000Z',
      },
    ],
  },
)

/** @param callbackUrl see `Social.callbackOf` */
export const toProviderView = (
  { name, kind, label, issuer, settings, ...provider }: Provider,
  callbackUrl: string,
): Static<typeof ProviderView> => ({
  name,
  kind,
  label,
  issuer,
  client_id: provider.clientId,
  has_secret: provider.hasSecret,
  callback_url: callbackUrl,
  tenant: settings.tenant ?? null,
  hosted_domain: settings.hostedDomain ?? null,
  team_id: settings.teamId ?? null,
  key_id: settings.keyId ?? null,
  auth_method: settings.authMethod ?? null,
  scopes: settings.scopes ? [...settings.scopes] : null,
  trust_email: provider.trustsEmail,
  link: provider.link,
  sign_up: provider.signsUp,
  enabled: provider.isEnabled,
  created_at: rfc3339(provider.createdAt),
  updated_at: rfc3339(provider.updatedAt),
})

export const ProviderList = t.Object(
  { items: t.Array(ProviderView) },
  {
    title: 'ProviderList',
    description: 'All providers, by name',
    examples: [{ items: ProviderView.examples as unknown[] }],
  },
)

export const ProviderTest = t.Object(
  {
    ok: t.Boolean({ description: 'No check has failed' }),
    checks: t.Array(
      t.Object({
        check: t.String({ description: '`metadata`, `keys` or `credentials`' }),
        result: t.String({ description: '`ok`, `failed`, or `unknown` if the answer does not tell' }),
        detail: t.String({ description: 'A sentence for a person' }),
      }),
    ),
  },
  {
    title: 'ProviderTest',
    description: 'What a test of a provider has found',
    examples: [{ ok: false, checks: [{ check: 'metadata', result: 'failed', detail: 'The host does not answer' }] }],
  },
)

export const toProviderTest = (checks: readonly ProviderCheck[]): Static<typeof ProviderTest> => ({
  ok: checks.every(({ result }) => result !== 'failed'),
  checks: checks.map(({ check, result, detail }) => ({ check, result, detail })),
})

export const ProviderPath = t.Object({
  name: t.String({ description: 'The name of the provider', examples: ['github'] }),
})

const optionalFlag = (description: string) =>
  t.Optional(t.Union([t.Boolean(), t.Null()], { description, ...refusedWith('Expected true or false') }))

const changeable = {
  label: optionalText('What the button says: at most 50 characters'),
  client_id: optionalText('The id of Keyward at the provider'),
  client_secret: optionalText('The secret of Keyward at the provider; for Apple the text of the private key'),
  hosted_domain: optionalText('Google only; an empty text lets in all accounts'),
  team_id: optionalText('Apple only'),
  key_id: optionalText('Apple only'),
  auth_method: optionalChoice(authMethods, 'Kind `oidc` only'),
  scopes: t.Optional(
    t.Union([t.Array(t.String()), t.Null()], { description: 'An empty list means the scopes of the kind' }),
  ),
  trust_email: optionalFlag("The provider's word that an address is verified counts"),
  link: optionalChoice(linkModes, 'What happens when an account has the address'),
  sign_up: optionalFlag('People without an account get one'),
  enabled: optionalFlag('The button is shown, and identities of the provider sign in'),
}

/** A part of the examples of both bodies. */
const choices = { scopes: ['read:user', 'user:email'], trust_email: true, sign_up: false, enabled: true }

export const NewProviderBody = t.Object(
  {
    name: t.String({ description: '1 to 32 small letters, digits and hyphens; a part of the redirect URI' }),
    kind: t.Union(
      providerKinds.map((kind) => t.Literal(kind)),
      refusedWith(`Expected one of ${providerKinds.join(', ')}`),
    ),
    issuer: optionalText('Needed for `oidc`; also for GitLab and GitHub on a host of your own'),
    tenant: optionalText('Microsoft only: the id of a tenant, `common`, `organizations` or `consumers`'),
    ...changeable,
    client_id: t.String({ description: 'The id of Keyward at the provider' }),
  },
  {
    title: 'NewProvider',
    examples: [
      { name: 'github', kind: 'github', client_id: 'Iv1.0123456789abcdef', client_secret: 'a-secret', ...choices },
    ],
  },
)

export const ProviderChangeBody = t.Object(changeable, {
  title: 'ProviderChange',
  examples: [{ label: 'GitHub', link: 'automatic', ...choices }],
})

/** Reads the members of a body that a provider can change; `null` counts as absent. */
export const toProviderChange = (body: Static<typeof ProviderChangeBody>): ProviderChange => ({
  label: body.label ?? undefined,
  clientId: body.client_id ?? undefined,
  clientSecret: body.client_secret ?? undefined,
  hostedDomain: body.hosted_domain ?? undefined,
  teamId: body.team_id ?? undefined,
  keyId: body.key_id ?? undefined,
  authMethod: body.auth_method ?? undefined,
  scopes: body.scopes ?? undefined,
  trustsEmail: body.trust_email ?? undefined,
  link: body.link ?? undefined,
  signsUp: body.sign_up ?? undefined,
  isEnabled: body.enabled ?? undefined,
})

export const toNewProvider = (body: Static<typeof NewProviderBody>): NewProvider => ({
  ...toProviderChange(body),
  name: body.name,
  kind: body.kind as ProviderKind,
  issuer: body.issuer ?? undefined,
  tenant: body.tenant ?? undefined,
  clientId: body.client_id,
})
