import { type ClientChange, type GrantType, grantTypes, idTokenAlgs } from '../../features/clients/clients.ts'
import { levels } from '../../features/tokens/tokens.ts'
import { type AllValues, choice, flag, listOption, option, repeatedOption, requireChoice } from '../arguments.ts'

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

/** The names of grants on a command line. */
const grantNames = grantTypes.map((grant) => (grant === DEVICE_CODE ? 'device_code' : grant))

/** The options that `clients create` and `clients update` share. */
export const settingArgs = {
  redirect: repeatedOption('URI', 'Where users come back to'),
  'post-logout': repeatedOption('URI', 'Where users may come back to after a logout'),
  backchannel: option('URI', 'Where Keyward posts a logout token when a session ends'),
  grants: listOption('WORDS', grantNames, 'The grants, separated by commas'),
  scopes: option('WORDS', 'The scopes to ask users for, separated by commas'),
  'service-scopes': option('WORDS', "The scopes of the client's own tokens, separated by commas"),
  resource: repeatedOption('URI', 'A resource that tokens of the client may be for'),
  role: option('ROLE', 'Only users with this role may sign in'),
  acr: option('LEVEL', `The least level of a sign-in: ${levels.join(', ')}`),
  home: option('URL', 'The home page of the client'),
  'id-token-alg': choice('ALG', idTokenAlgs, 'What signs the ID tokens; RS256 if not given'),
  'allow-http': flag('Accept http:// redirect URIs of any host'),
}

interface SettingOptions {
  backchannel?: string | undefined
  grants?: string | undefined
  scopes?: string | undefined
  'service-scopes'?: string | undefined
  role?: string | undefined
  acr?: string | undefined
  home?: string | undefined
  'id-token-alg'?: string | undefined
  'allow-http'?: boolean | undefined
}

/** Makes a change of a client out of `settingArgs`. An empty value removes; an option that is not given changes nothing. */
export function settingsOf(options: SettingOptions, all: AllValues): ClientChange {
  const { acr, 'id-token-alg': alg } = options
  if (alg !== undefined) requireChoice('--id-token-alg', alg, idTokenAlgs)
  if (acr) requireChoice('--acr', acr, levels)
  const change: { [Name in keyof ClientChange]: ClientChange[Name] | undefined } = {
    redirectUris: all('redirect'),
    postLogoutRedirectUris: all('post-logout'),
    backchannelLogoutUri: orNull(options.backchannel),
    grantTypes: words(options.grants)?.map((name) => (name === 'device_code' ? DEVICE_CODE : name)) as
      | GrantType[]
      | undefined,
    scopes: words(options.scopes),
    credentialsScopes: words(options['service-scopes']),
    resources: all('resource'),
    requiredRole: orNull(options.role),
    requiredAcr: orNull(acr) as ClientChange['requiredAcr'],
    homeUri: orNull(options.home),
    idTokenAlg: alg as ClientChange['idTokenAlg'],
    allowsHttp: options['allow-http'],
  }
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}

const words = (text: string | undefined): string[] | undefined =>
  text
    ?.split(',')
    .map((word) => word.trim())
    .filter(Boolean)

const orNull = (text: string | undefined): string | null | undefined => (text === '' ? null : text)
