import type { Outgoing, OutgoingResponse } from '../../lib/outgoing-fetch.ts'
import { type FlowNeeds, openProvider } from './flow.ts'
import { kindRules } from './kinds.ts'
import { require } from './providers.ts'
import { configurationOf, reasonOf } from './upstream.ts'

/** One check of a provider. `unknown`: the answer does not tell. */
export interface ProviderCheck {
  check: 'metadata' | 'keys' | 'credentials'
  result: 'ok' | 'failed' | 'unknown'
  /** A sentence for an administrator. It has no text of the provider. */
  detail: string
}

/** The answers with which token endpoints say that a code is unknown, after they have accepted the client. */
const acceptedErrors = ['invalid_grant', 'bad_verification_code', 'invalid_code']
const refusedErrors = ['invalid_client', 'unauthorized_client', 'incorrect_client_credentials']

/** Implements `Social.checkProvider`: reads the metadata and the keys, and sends a code that cannot exist. */
export async function checkProvider(needs: FlowNeeds, name: string): Promise<ProviderCheck[]> {
  const opened = await openProvider(needs, name, require)
  const { provider, callback } = opened
  const { hasIdToken } = kindRules[provider.kind]
  const client = await import('openid-client')
  let last: OutgoingResponse | undefined
  const outgoing: Outgoing = {
    async fetch(url, request) {
      last = await needs.outgoing.fetch(url, request)
      return last
    },
  }
  const recording = { ...needs, outgoing }
  const checks: ProviderCheck[] = []
  let config: Awaited<ReturnType<typeof configurationOf>>
  try {
    config = await configurationOf(recording, opened, client)
    if (hasIdToken) checks.push({ check: 'metadata', result: 'ok', detail: 'The metadata of the issuer were read' })
  } catch (error) {
    return [{ check: 'metadata', result: 'failed', detail: sentenceOf(reasonOf(error)) }]
  }
  const { jwks_uri: keysAt } = config.serverMetadata()
  if (hasIdToken) checks.push(await checkKeys(outgoing, keysAt))
  last = undefined
  const url = new URL(callback)
  url.searchParams.set('code', 'keyward-test-of-the-credentials')
  url.searchParams.set('state', 'x')
  const failure = await client
    .authorizationCodeGrant(config, url, { expectedState: 'x', pkceCodeVerifier: 'x'.repeat(43) })
    .then(() => undefined, reasonOf)
  const told = errorIn(last)
  checks.push(
    told !== undefined && acceptedErrors.includes(told)
      ? { check: 'credentials', result: 'ok', detail: 'The client id and the client secret were accepted' }
      : told !== undefined && refusedErrors.includes(told)
        ? { check: 'credentials', result: 'failed', detail: 'The client id or the client secret was refused' }
        : last === undefined
          ? { check: 'credentials', result: 'failed', detail: sentenceOf(failure ?? '') }
          : { check: 'credentials', result: 'unknown', detail: 'The answer does not tell whether they are right' },
  )
  return checks
}

async function checkKeys(outgoing: Outgoing, url: string | undefined): Promise<ProviderCheck> {
  try {
    if (url === undefined) return { check: 'keys', result: 'failed', detail: 'The metadata name no keys' }
    const { status, body } = await outgoing.fetch(url, { headers: { accept: 'application/json' } })
    const { keys } = JSON.parse(Buffer.from(body).toString()) as { keys?: unknown }
    if (status === 200 && Array.isArray(keys) && keys.length > 0)
      return { check: 'keys', result: 'ok', detail: `The keys were read: ${keys.length}` }
    return { check: 'keys', result: 'failed', detail: 'There are no keys at the address of the metadata' }
  } catch (error) {
    return { check: 'keys', result: 'failed', detail: sentenceOf(reasonOf(error)) }
  }
}

/** The error code of an answer of a token endpoint; GitHub sends it with status 200. */
function errorIn(answer: OutgoingResponse | undefined): string | undefined {
  try {
    const { error } = JSON.parse(Buffer.from(answer?.body ?? []).toString()) as { error?: unknown }
    return typeof error === 'string' ? error : undefined
  } catch {
    return undefined
  }
}

const sentences: Record<string, string> = {
  host_unknown: 'DNS does not know the host of the issuer',
  address_refused: 'The host has an address that Keyward does not call: see OUTGOING_ADDRESSES',
  url_refused: 'The address must begin with https',
  certificate_refused: 'The certificate of the host was refused (TLS)',
  unreachable: 'The host does not answer',
  timeout: 'The host did not answer in time',
  too_large: 'The answer is larger than 1 MB',
  issuer: 'The metadata name another issuer than this provider has: use that one, exactly',
}

const sentenceOf = (reason: string): string =>
  sentences[reason] ?? `There are no metadata of an OpenID issuer at this address (${reason})`
