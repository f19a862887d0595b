import { KeywardError } from '../../errors.ts'
import { type Clock, type EpochMs, MINUTE } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import type { Store } from '../../storage/store.ts'
import type { Limits } from '../limits/limits.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { SignInRequest } from '../sign-in/sign-in.ts'
import type { Users } from '../users/users.ts'
import type { Identity } from './identity.ts'
import { openSecret, requireEnabled, withoutSeal } from './providers.ts'
import type { Pending, Ways } from './rule.ts'
import {
  beginUpstream,
  finishUpstream,
  type OpenedProvider,
  type UpstreamFlow,
  type UpstreamNeeds,
} from './upstream.ts'

export interface FlowNeeds extends UpstreamNeeds {
  store: Store
  secrets: Pick<Secrets, 'seal' | 'unseal'>
  limits: Pick<Limits, 'reserve'>
  users: Pick<Users, 'find'>
  /** PUBLIC_URL. */
  publicUrl: string
}

/** Why somebody goes to a provider: to sign in, or to link an account there with the own one. */
export type Purpose =
  | { kind: 'sign_in'; request: SignInRequest }
  /** The session epoch at the start: the link fails when all sessions were ended meanwhile. */
  | { kind: 'link'; userId: number; epoch: number }

/** How long a login at a provider, and the pages after it, may take. */
export const FLOW_LIFETIME = 10 * MINUTE

/** A login at a provider that was begun. */
export interface BegunFlow {
  /** Eight hexadecimal digits: the name of the cookie, and the beginning of `state`. */
  id: string
  /** Where the browser goes. */
  url: string
  /** The text for the cookie of the flow. Nothing is stored for a stranger. */
  sealed: string
}

interface SealedFlow {
  upstream: UpstreamFlow
  purpose: Purpose
  until: EpochMs
}

/** What a browser keeps between the pages after the provider's answer. */
export interface PendingFlow {
  request: SignInRequest
  pending: Pending
  page: 'address' | 'code' | 'ask'
  /** For the page *Ask*. */
  ways?: Ways
  account?: { email: string; username: string }
}

interface From {
  /** The client's network. */
  client: string
  ip: string
}

export const isFlowId = (text: string): boolean => /^[0-9a-f]{8}$/.test(text)

/** Binds a sealed text to its provider, its cookie and its kind: it opens in no other place. */
const contextOf = (kind: 'flow' | 'pending', provider: string, id: string): string => `social.${kind}:${provider}:${id}`

/** Implements `Social.begin`. */
export async function begin(needs: FlowNeeds, name: string, purpose: Purpose, from: From): Promise<BegunFlow> {
  const { secrets, clock, random, limits } = needs
  const opened = await openProvider(needs, name)
  const place = await limits.reserve([{ rule: 'social.start', key: from.client }], { ip: from.ip })
  await using _ = place
  place.keep()
  const id = Buffer.from(random.bytes(4)).toString('hex')
  const { url, flow } = await beginUpstream(needs, opened, `${id}${toBase64Url(random.bytes(24))}`)
  const content: SealedFlow = { upstream: flow, purpose, until: clock.now() + FLOW_LIFETIME }
  return { id, url, sealed: await secrets.seal(contextOf('flow', name, id), Buffer.from(JSON.stringify(content))) }
}

/** Implements `Social.finish`. */
export async function finish(
  needs: FlowNeeds,
  name: string,
  { sealed, answer }: { sealed: string; answer: Readonly<Record<string, string>> },
  from: From,
): Promise<{ identity: Identity; purpose: Purpose }> {
  const flow = open<SealedFlow>(needs, contextOf('flow', name, flowIdOf(answer)), sealed)
  if (!flow || flow.upstream.state !== answer.state) throw new KeywardError('invalid_or_expired')
  const opened = await openProvider(needs, name)
  // An answer that is wrong costs requests to the provider, and its cookie can be used again and again.
  const place = await needs.limits.reserve([{ rule: 'social.start', key: from.client }], { ip: from.ip })
  await using _ = place
  try {
    const identity = await finishUpstream(needs, opened, flow.upstream, answer)
    await place.giveBack()
    return { identity, purpose: flow.purpose }
  } catch (error) {
    place.keep()
    throw error
  }
}

/** The id of the flow to which an answer belongs; empty when the answer names none. */
export const flowIdOf = ({ state = '' }: Readonly<Record<string, string>>): string =>
  isFlowId(state.slice(0, 8)) ? state.slice(0, 8) : ''

/** Seals what the browser keeps between the pages. */
export const sealPending = (
  { secrets, clock }: FlowNeeds,
  { provider, id }: { provider: string; id: string },
  flow: PendingFlow,
): Promise<string> =>
  secrets.seal(
    contextOf('pending', provider, id),
    Buffer.from(JSON.stringify({ ...flow, until: clock.now() + FLOW_LIFETIME })),
  )

/** @throws KeywardError `invalid_or_expired` */
export function openPending(
  needs: FlowNeeds,
  { provider, id }: { provider: string; id: string },
  sealed: string,
): PendingFlow {
  const flow = open<PendingFlow & { until: EpochMs }>(needs, contextOf('pending', provider, id), sealed)
  if (!flow) throw new KeywardError('invalid_or_expired')
  return flow
}

/** Implements `Social.requestOf`. */
export function requestOf(
  needs: FlowNeeds,
  { provider, id }: { provider: string; id: string },
  sealed: string,
): SignInRequest | undefined {
  const purpose = open<SealedFlow>(needs, contextOf('flow', provider, id), sealed)?.purpose
  if (purpose) return purpose.kind === 'sign_in' ? purpose.request : undefined
  return open<PendingFlow & { until: EpochMs }>(needs, contextOf('pending', provider, id), sealed)?.request
}

function open<Content extends { until: EpochMs }>(
  { secrets, clock }: { secrets: FlowNeeds['secrets']; clock: Clock },
  context: string,
  sealed: string,
): Content | undefined {
  const bytes = secrets.unseal(context, sealed)
  const content = bytes && (JSON.parse(Buffer.from(bytes).toString()) as Content)
  return content && content.until > clock.now() ? content : undefined
}

export async function openProvider(
  needs: FlowNeeds,
  name: string,
  find: typeof requireEnabled = requireEnabled,
): Promise<OpenedProvider> {
  const stored = await find(needs, name)
  return { provider: withoutSeal(stored), secret: openSecret(needs, stored), callback: callbackOf(needs, name) }
}

/** The address that a provider needs to know as the redirect URI (RFC 6749 section 3.1.2). */
export const callbackOf = ({ publicUrl }: { publicUrl: string }, name: string): string =>
  `${publicUrl}/social/${name}/callback`
