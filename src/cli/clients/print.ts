import type { Client, ClientSecret } from '../../features/clients/clients.ts'
import type { CommandContext } from '../context.ts'
import { type Column, type Fact, printFacts, timeText } from '../table.ts'

export const clientColumns: Column<Client>[] = [
  { head: 'ID', text: ({ id }) => id },
  { head: 'NAME', text: ({ name }) => name },
  { head: 'KIND', text: kindOf },
  {
    head: 'STATE',
    text: ({ isEnabled }) => (isEnabled ? 'on' : 'off'),
    colour: ({ isEnabled }) => (isEnabled ? 'green' : 'dim'),
  },
  { head: 'REDIRECT URIS', text: ({ redirectUris }) => redirectUris.join(' ') },
]

function kindOf({ isPublic }: Client): string {
  return isPublic ? 'public' : 'confidential'
}

/** Prints the settings of a client for a person, one per line. */
export function printClient(
  context: CommandContext,
  client: Client,
  { secrets, issuer }: { secrets: readonly ClientSecret[]; issuer: string },
): void {
  const lines = (name: string, values: readonly string[]): Fact[] =>
    values.length === 0 ? [[name, null]] : values.map((value) => [name, value])
  printFacts(context, [
    ['Client id', client.id],
    ['Name', client.name],
    ['Kind', kindOf(client)],
    ['State', client.isEnabled ? 'on' : 'off', client.isEnabled ? 'green' : 'red'],
    ['Discovery', `${issuer}/.well-known/openid-configuration`],
    ...lines('Redirect URI', client.redirectUris),
    ...lines('After logout', client.postLogoutRedirectUris),
    ['Back-channel', client.backchannelLogoutUri],
    ['Grants', client.grantTypes.join(' ')],
    ['Scopes', client.scopes.join(' ')],
    ['Own scopes', client.credentialsScopes.join(' ')],
    ...lines('Resource', client.resources),
    ['Consent', client.isTrusted ? 'users are not asked: trusted' : 'users are asked'],
    ['PKCE', client.requiresPkce ? 'required' : 'not required'],
    ['ID tokens', `${client.idTokenAlg}, ${claimsOf(client)}`],
    ['Role', client.requiredRole ?? 'every user may sign in'],
    ['Level', client.requiredAcr ?? 'any sign-in'],
    ['Home page', client.homeUri],
    ...secrets.map((secret): Fact => [`Secret ${secret.id}`, describeSecret(secret, context.clock.now())]),
  ])
}

const claimsOf = ({ hasClaimsInIdToken }: Client): string =>
  hasClaimsInIdToken ? 'with the claims of the granted scopes' : 'lean: the claims are at /userinfo'

function describeSecret({ hint, createdAt, expiresAt, revokedAt, lastUsedAt }: ClientSecret, now: number): string {
  const state =
    revokedAt !== null
      ? `revoked ${timeText(revokedAt)}`
      : expiresAt === null
        ? 'live'
        : `${expiresAt <= now ? 'expired' : 'live until'} ${timeText(expiresAt)}`
  return `…${hint}, made ${timeText(createdAt)}, ${state}, last used ${timeText(lastUsedAt) ?? 'never'}`
}
