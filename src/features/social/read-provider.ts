import { type FieldError, KeywardError } from '../../errors.ts'
import { isApplePrivateKey } from './apple-key.ts'
import { issuerOfTenant, kindRules } from './kinds.ts'
import {
  isSharedTenant,
  type NewProvider,
  type Provider,
  type ProviderChange,
  type ProviderSettings,
  sharedTenants,
} from './provider.ts'

const MAX_LABEL = 50
const MAX_TEXT = 255
const MAX_SECRET = 4096

/** The names of the settings, as routes and commands write them. */
const fieldNames: Record<keyof ProviderSettings, string> = {
  tenant: 'tenant',
  hostedDomain: 'hosted_domain',
  teamId: 'team_id',
  keyId: 'key_id',
  scopes: 'scopes',
  authMethod: 'auth_method',
}

/** A provider without the times and the secret of its row. */
export type Described = Omit<Provider, 'hasSecret' | 'createdAt' | 'updatedAt'>

/**
 * Checks the description of a new provider, and adds the defaults of its kind.
 * @throws KeywardError `validation_failed` with every wrong field
 */
export function readNew(given: NewProvider): Described {
  const rules = kindRules[given.kind]
  const errors: FieldError[] = []
  const refuse = (field: string, message: string) => void errors.push({ field, message })
  if (!/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(given.name))
    refuse('name', 'The name must have 1 to 32 small letters, digits and hyphens, and no hyphen at its ends')
  const settings = settingsOf(given)
  if (given.issuer !== undefined && !rules.takesIssuer) refuse('issuer', `The issuer of ${given.kind} is known`)
  const issuer = given.issuer === undefined ? undefined : readIssuer(given.issuer)
  if (given.issuer === undefined && rules.takesIssuer && rules.issuer === undefined)
    refuse('issuer', 'The issuer is missing')
  if (given.issuer !== undefined && issuer === undefined)
    refuse('issuer', 'The issuer must be an https address without query and fragment; http only on a loopback address')
  if (rules.needsSecret && given.clientSecret === undefined) refuse('client_secret', 'The client secret is missing')
  const isAtHome = given.issuer === undefined || issuer === rules.issuer
  const described: Described = {
    name: given.name,
    kind: given.kind,
    label: given.label ?? rules.label ?? given.name,
    issuer:
      settings.tenant === undefined ? (issuer ?? rules.issuer ?? '') : issuerOfTenant(settings.tenant.toLowerCase()),
    clientId: given.clientId,
    settings: settings.tenant === undefined ? settings : { ...settings, tenant: settings.tenant.toLowerCase() },
    trustsEmail: given.trustsEmail ?? (rules.trustsEmail && isAtHome),
    link: given.link ?? 'ask',
    signsUp: given.signsUp ?? true,
    isEnabled: given.isEnabled ?? true,
  }
  errors.push(...problemsOf(described, given.clientSecret))
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return described
}

/**
 * Checks a change of a provider.
 * @returns the provider after the change
 * @throws KeywardError `validation_failed` with every wrong field
 */
export function readChange(present: Provider, change: ProviderChange): Described {
  const { name, kind, issuer } = present
  const settings = withoutEmpty({ ...present.settings, ...settingsOf(change) })
  const described: Described = {
    name,
    kind,
    issuer,
    label: change.label ?? present.label,
    clientId: change.clientId ?? present.clientId,
    settings,
    trustsEmail: change.trustsEmail ?? present.trustsEmail,
    link: change.link ?? present.link,
    signsUp: change.signsUp ?? present.signsUp,
    isEnabled: change.isEnabled ?? present.isEnabled,
  }
  const errors = problemsOf(described, change.clientSecret)
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return described
}

/** The settings of a description, without those that it does not have. */
function settingsOf(given: ProviderSettings): ProviderSettings {
  const names = Object.keys(fieldNames) as (keyof ProviderSettings)[]
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
}

/** Removes the settings that are empty: an empty text, or an empty list of scopes, means the default of the kind. */
const withoutEmpty = (settings: ProviderSettings): ProviderSettings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value.length > 0))

function problemsOf(provider: Described, secret: string | undefined): FieldError[] {
  const { kind, label, clientId, settings, trustsEmail } = provider
  const rules = kindRules[kind]
  const errors: FieldError[] = []
  const refuse = (field: string, message: string) => void errors.push({ field, message })
  if (!/^[^\p{Cc}\p{Cs}]+$/u.test(label) || label.length > MAX_LABEL)
    refuse('label', `The label must have 1 to ${MAX_LABEL} characters and no control characters`)
  if (!isToken(clientId)) refuse('client_id', `The client id must have 1 to ${MAX_TEXT} visible ASCII characters`)
  for (const name of Object.keys(fieldNames) as (keyof ProviderSettings)[]) {
    const isGiven = settings[name] !== undefined
    if (isGiven && !rules.takes.includes(name)) refuse(fieldNames[name], `A provider of the kind ${kind} has none`)
    else if (!isGiven && rules.needs.includes(name)) refuse(fieldNames[name], 'This field is missing')
    else if (isGiven && !isSetting[name](settings)) refuse(fieldNames[name], settingMessages[name])
  }
  if (settings.scopes && rules.hasIdToken && !settings.scopes.includes('openid'))
    refuse('scopes', 'The scopes must contain openid')
  if (trustsEmail && kind === 'microsoft' && isSharedTenant(settings.tenant))
    refuse('trust_email', `Addresses cannot be trusted with ${sharedTenants.join(', ')}: anybody can make a tenant`)
  if (secret !== undefined && kind === 'apple' && !isApplePrivateKey(secret))
    refuse('client_secret', 'The secret must be the private key of Apple: the text of the file AuthKey_….p8')
  else if (secret !== undefined && (secret.length > MAX_SECRET || (kind !== 'apple' && !isToken(secret, MAX_SECRET))))
    refuse('client_secret', 'The client secret must have visible ASCII characters only')
  return errors
}

const isToken = (text: string, most = MAX_TEXT): boolean => /^[\x21-\x7e]+$/.test(text) && text.length <= most

const isSetting: Record<keyof ProviderSettings, (settings: ProviderSettings) => boolean> = {
  tenant: ({ tenant }) => isSharedTenant(tenant) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(tenant!),
  hostedDomain: ({ hostedDomain }) => /^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(hostedDomain!),
  teamId: ({ teamId }) => /^[A-Z0-9]{10}$/.test(teamId!),
  keyId: ({ keyId }) => /^[A-Z0-9]{10}$/.test(keyId!),
  // RFC 6749 section 3.3.
  scopes: ({ scopes }) =>
    scopes!.length > 0 &&
    scopes!.length <= 20 &&
    scopes!.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(scope)),
  authMethod: ({ authMethod }) => authMethod === 'basic' || authMethod === 'post',
}

const settingMessages: Record<keyof ProviderSettings, string> = {
  tenant: `The tenant must be its id (a UUID), or one of ${sharedTenants.join(', ')}`,
  hostedDomain: 'The hosted domain must be a domain in small letters, such as example.com',
  teamId: 'The team id must have ten capital letters and digits',
  keyId: 'The key id must have ten capital letters and digits',
  scopes: 'The scopes must be 1 to 20 words of visible characters',
  authMethod: 'The method must be basic or post',
}

/** @returns undefined for a text that is no issuer (RFC 8414 section 2), or one that a network could change on its way */
function readIssuer(text: string): string | undefined {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(text) || text.length > MAX_TEXT || !URL.canParse(text)) return undefined
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  if (/[?#\\]/.test(text) || username || password || search || hash) return undefined
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  if (protocol === 'http:' && !isLoopback) return undefined
  return text
}
