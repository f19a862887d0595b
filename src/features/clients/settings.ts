import { type FieldError, KeywardError } from '../../errors.ts'
import type { Roles } from '../roles/roles.ts'
import { isPermission } from '../roles/roles.ts'
import { levels } from '../tokens/tokens.ts'
import { normalizeName } from '../users/users.ts'
import { backchannelProblem, homeProblem, type OwnAudience, redirectProblem, resourceProblem } from './addresses.ts'
import { type ClientSettings, grantTypes, identityScopes, idTokenAlgs } from './client.ts'

const MAX_ADDRESSES = 20
const MAX_SCOPES = 50

export interface SettingsRules extends OwnAudience {
  /** True when `http` is accepted for redirect URIs of any host. */
  allowsHttp: boolean
}

/** The settings of a client that nobody decided. */
export const defaultSettings: Omit<ClientSettings, 'name'> = {
  isPublic: false,
  redirectUris: [],
  postLogoutRedirectUris: [],
  grantTypes: ['authorization_code', 'refresh_token'],
  scopes: identityScopes,
  resources: [],
  credentialsScopes: [],
  isTrusted: false,
  requiresPkce: true,
  idTokenAlg: 'RS256',
  hasClaimsInIdToken: false,
  backchannelLogoutUri: null,
  requiredRole: null,
  requiredAcr: null,
  homeUri: null,
  isEnabled: true,
}

/**
 * Reads the settings of a client: checks each, removes doubles, and brings grants and scopes in order.
 * @param before the client that is changed. Its addresses keep the scheme http, which once was allowed
 * @throws KeywardError `validation_failed` with every wrong field, named as over HTTP
 */
export async function readSettings(
  { roles, rules }: { roles: Pick<Roles, 'find'>; rules: SettingsRules },
  typed: ClientSettings,
  before?: ClientSettings,
): Promise<ClientSettings> {
  const settings = inOrder(typed)
  const errors = [...errorsIn(settings, rules, before)]
  if (settings.requiredRole !== null && !(await roles.find(settings.requiredRole)))
    errors.push({ field: 'required_role', message: 'There is no such role' })
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  return settings
}

function inOrder(typed: ClientSettings): ClientSettings {
  const unique = (texts: readonly string[]) => [...new Set(texts)]
  const ordered = (scopes: readonly string[]) => {
    const known = identityScopes.filter((scope) => scopes.includes(scope))
    return unique([...known, ...scopes])
  }
  return {
    ...typed,
    name: normalizeName(typed.name) ?? '',
    redirectUris: unique(typed.redirectUris),
    postLogoutRedirectUris: unique(typed.postLogoutRedirectUris),
    // An unknown grant stays, so that it is refused.
    grantTypes: [...new Set([...grantTypes.filter((grant) => typed.grantTypes.includes(grant)), ...typed.grantTypes])],
    scopes: ordered(typed.scopes),
    resources: unique(typed.resources),
    credentialsScopes: ordered(typed.credentialsScopes),
  }
}

function* errorsIn(settings: ClientSettings, rules: SettingsRules, before?: ClientSettings): Iterable<FieldError> {
  const { name, isPublic, redirectUris, resources, scopes, credentialsScopes } = settings
  if (name === '') yield { field: 'name', message: 'The name must have 1 to 100 characters and no control characters' }
  if (isPublic && !settings.requiresPkce) yield { field: 'require_pkce', message: 'A public client must use PKCE' }
  yield* grantErrors(settings)
  yield* redirectErrors('redirect_uris', redirectUris, settings, rules, before?.redirectUris)
  const afterLogout = settings.postLogoutRedirectUris
  yield* redirectErrors('post_logout_redirect_uris', afterLogout, settings, rules, before?.postLogoutRedirectUris)
  yield* listErrors('resources', resources, (uri) => resourceProblem(uri, rules))
  yield* scopeErrors('scopes', scopes)
  yield* scopeErrors('client_credentials_scopes', credentialsScopes)
  for (const scope of identityScopes)
    if (credentialsScopes.includes(scope))
      yield { field: 'client_credentials_scopes', message: `${scope} is a scope of users: the client has no user here` }
  if (!idTokenAlgs.includes(settings.idTokenAlg))
    yield { field: 'id_token_alg', message: `This must be one of ${idTokenAlgs.join(', ')}` }
  if (settings.requiredAcr !== null && !levels.includes(settings.requiredAcr))
    yield { field: 'required_acr', message: `This must be one of ${levels.join(', ')}` }
  const logout = settings.backchannelLogoutUri === null ? undefined : backchannelProblem(settings.backchannelLogoutUri)
  if (logout) yield { field: 'backchannel_logout_uri', message: logout }
  const home = settings.homeUri === null ? undefined : homeProblem(settings.homeUri)
  if (home) yield { field: 'home_uri', message: home }
}

function* grantErrors({ grantTypes: grants, isPublic, redirectUris, credentialsScopes }: ClientSettings) {
  const field = 'grant_types'
  if (grants.length === 0) yield { field, message: 'A client needs at least one grant' }
  if (grants.some((grant) => !grantTypes.includes(grant)))
    yield { field, message: `There are the grants ${grantTypes.join(', ')}` }
  const isService = grants.includes('client_credentials')
  if (isPublic && isService)
    yield { field, message: 'A public client has no secret, so it cannot have client_credentials' }
  if (grants.includes('authorization_code') && redirectUris.length === 0)
    yield { field: 'redirect_uris', message: 'The grant authorization_code needs at least one redirect URI' }
  if (!isService && credentialsScopes.length > 0)
    yield { field: 'client_credentials_scopes', message: 'These scopes need the grant client_credentials' }
}

function redirectErrors(
  field: string,
  uris: readonly string[],
  { isPublic }: ClientSettings,
  { allowsHttp }: SettingsRules,
  known: readonly string[] = [],
): Iterable<FieldError> {
  return listErrors(field, uris, (uri) =>
    redirectProblem(uri, { allowsApps: isPublic, allowsHttp: allowsHttp || known.includes(uri) }),
  )
}

function* listErrors(
  field: string,
  uris: readonly string[],
  problemOf: (uri: string) => string | undefined,
): Iterable<FieldError> {
  if (uris.length > MAX_ADDRESSES) yield { field, message: `There may be at most ${MAX_ADDRESSES} addresses` }
  for (const [at, uri] of uris.slice(0, MAX_ADDRESSES).entries()) {
    const message = problemOf(uri)
    if (message) yield { field: `${field}.${at}`, message }
  }
}

function* scopeErrors(field: string, scopes: readonly string[]): Iterable<FieldError> {
  if (scopes.length > MAX_SCOPES) yield { field, message: `There may be at most ${MAX_SCOPES} scopes` }
  if (!scopes.every((scope) => scope.length <= 100 && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    yield { field, message: 'A scope has 1 to 100 characters of ASCII, without spaces, quotes and backslashes' }
  // `account` marks Keyward's own tokens, and permissions are rights at Keyward. A client has neither.
  if (scopes.some((scope) => scope === 'account' || isPermission(scope)))
    yield { field, message: 'The scope account and the permissions of Keyward are never granted to a client' }
}
