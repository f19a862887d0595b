import type { FreshProof } from '../accounts/accounts.ts'
import type { Limits } from '../limits/limits.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { SignInRequest } from '../sign-in/sign-in.ts'
import type { User } from '../users/users.ts'
import {
  type Arrival,
  type ArrivalVisit,
  type ArriveNeeds,
  arrive,
  askCode,
  confirmByPassword,
  enterCode,
  giveAddress,
  startOver,
} from './arrive.ts'
import { checkProvider, type ProviderCheck } from './diagnose.ts'
import {
  type BegunFlow,
  begin,
  callbackOf,
  type FlowNeeds,
  finish,
  openPending,
  type PendingFlow,
  type Purpose,
  requestOf,
  sealPending,
} from './flow.ts'
import { listOf, type UnlinkNeeds, unlinkOf, unlinkOwn } from './identities.ts'
import type { Identity, LinkedIdentity } from './identity.ts'
import { linkOwn } from './link.ts'
import type { NewProvider, Provider, ProviderChange } from './provider.ts'
import * as providers from './providers.ts'
import type { Pending } from './rule.ts'

export type { Arrival, ArrivalVisit } from './arrive.ts'
export type { ProviderCheck } from './diagnose.ts'
export { FLOW_LIFETIME, flowIdOf, isFlowId, type PendingFlow } from './flow.ts'
export { createIdentities } from './identities.ts'
export type { Identity, LinkedIdentity } from './identity.ts'
export { createLinks } from './link.ts'
export {
  type AuthMethod,
  authMethods,
  isProviderKind,
  type LinkMode,
  linkModes,
  type NewProvider,
  type Provider,
  type ProviderChange,
  type ProviderKind,
  providerKinds,
} from './provider.ts'
export type { ProviderChanger } from './providers.ts'
export type { Pending, Ways } from './rule.ts'

export interface SocialNeeds
  extends providers.ProvidersNeeds,
    Omit<UnlinkNeeds & ArriveNeeds & FlowNeeds, 'accounts' | 'mails' | 'secrets' | 'limits'> {
  limits: Limits
  accounts: UnlinkNeeds['accounts'] & ArriveNeeds['accounts']
  mails: ArriveNeeds['mails']
  metrics: Pick<Metrics, 'login'>
}

/** The services with which people sign in, and the identities that these services tell. */
export interface Social {
  /** All providers by name, without their secrets. */
  listProviders(): Promise<Provider[]>
  /** @throws KeywardError `provider_not_found` */
  findProvider(name: string): Promise<Provider>
  /**
   * Adds a provider. Its secret is stored sealed, and no answer ever has it.
   * @throws KeywardError `validation_failed` with every wrong field, `provider_taken`; the error of `by.allow`
   */
  addProvider(provider: NewProvider, by?: providers.ProviderChanger): Promise<Provider>
  /**
   * Changes a provider, at once in every process. Writes nothing when nothing changes. An empty setting is removed.
   * @throws KeywardError `validation_failed` with every wrong field, `provider_not_found`; the error of `by.allow`
   */
  updateProvider(name: string, change: ProviderChange, by?: providers.ProviderChanger): Promise<Provider>
  /**
   * What `addProvider` would store, or with `name` what `updateProvider` would change. Writes nothing.
   * @returns the provider before, if there is one, and after; `isNewSecret` is true when its secret would change
   * @throws KeywardError `validation_failed` with every wrong field, `provider_not_found`
   */
  compareProvider(
    wanted: { add: NewProvider } | { name: string; change: ProviderChange },
  ): Promise<providers.ProviderDifference>
  /**
   * Deletes a provider. The identities of its users stay, and work again with a new provider of the same issuer.
   * @throws KeywardError `provider_not_found`; the error of `by.allow`
   */
  removeProvider(name: string, by?: providers.ProviderChanger): Promise<void>
  /**
   * Finds out whether a provider can be reached and takes the credentials. Nothing is stored.
   * @throws KeywardError `provider_not_found`
   */
  checkProvider(name: string): Promise<ProviderCheck[]>
  /** The address that the provider needs to know as the redirect URI (RFC 6749 section 3.1.2). */
  callbackOf(name: string): string
  /** The providers with which people may sign in now, by name. */
  buttons(): Promise<{ name: string; label: string }[]>
  /** The providers that a user may link: those of `buttons` that are not linked yet. */
  linkable(userId: number): Promise<{ name: string; label: string }[]>
  /**
   * Begins a login at a provider.
   * @throws KeywardError `provider_not_found`, also for one that is switched off; `rate_limited`; `provider_failed`
   */
  begin(name: string, purpose: Purpose, from: { client: string; ip: string }): Promise<BegunFlow>
  /**
   * Reads and checks the answer of a provider.
   * @param received.sealed the text of `begin`, from the cookie of the browser that brings the answer
   * @throws KeywardError `invalid_or_expired` when this browser did not begin this login in the last ten minutes;
   *   `provider_failed` for every fault of the provider, and when the person has cancelled; `provider_not_found`,
   *   `rate_limited`
   */
  finish(
    name: string,
    received: { sealed: string; answer: Readonly<Record<string, string>> },
    from: { client: string; ip: string },
  ): Promise<{ identity: Identity; purpose: Purpose }>
  /**
   * The request for which a browser is at a provider, from the text of `begin` or of `sealPending`.
   * @returns undefined when this browser did not begin this login in the last ten minutes, and for a link
   */
  requestOf(of: { provider: string; id: string }, sealed: string): SignInRequest | undefined
  /** Seals what the browser keeps between the pages after the answer, for ten minutes. */
  sealPending(of: { provider: string; id: string }, flow: PendingFlow): Promise<string>
  /** @throws KeywardError `invalid_or_expired` */
  openPending(of: { provider: string; id: string }, sealed: string): PendingFlow
  /**
   * Signs in with an identity that a provider has told. A known identity is its user, whatever the addresses say. For
   * another one, the rule of `rule.ts` says what has to be proved first.
   * @throws KeywardError `provider_not_found` for a provider that is switched off; `invalid_credentials`;
   *   `registration_closed`; `email_unverified` when a code is needed and this server sends no mail; `rate_limited`;
   *   `identity_taken` when the account has another identity of this provider; `email_taken` when the address is
   *   reserved; `validation_failed` for an address of a domain that may not register
   */
  arrive(identity: Identity, visit: ArrivalVisit): Promise<Arrival>
  /** Goes on with an address that was typed, because the provider told none. @throws KeywardError as `arrive` */
  giveAddress(pending: Pending, typed: string, visit: ArrivalVisit): Promise<Arrival>
  /** Mails a code to the address of the account that the page *Ask* is about. @throws KeywardError as `arrive` */
  askCode(pending: Pending, visit: ArrivalVisit): Promise<Arrival>
  /** Goes on with the code of the mail. @throws KeywardError `invalid_or_expired`, and those of `arrive` */
  enterCode(pending: Pending, code: string, visit: ArrivalVisit): Promise<Arrival>
  /**
   * Links with the password of the account, and keeps all that the account has.
   * @throws KeywardError `invalid_password`, which counts as a failed login; `overloaded`; and those of `arrive`
   */
  confirmByPassword(pending: Pending, password: string, visit: ArrivalVisit): Promise<Arrival>
  /**
   * Links as the owner of an address that the account never proved: its password, sessions, API keys and other
   * identities are dropped.
   * @throws KeywardError those of `arrive`
   */
  startOver(pending: Pending, visit: ArrivalVisit): Promise<Arrival>
  /**
   * Links an identity with a user who is signed in and has proved it a short time ago. Never touches the address.
   * @throws KeywardError `identity_taken`, and both users get a mail; `provider_not_found`; `invalid_token` when all
   *   sessions of the user were ended meanwhile
   */
  linkOwn(of: { identity: Identity; user: User; ip: string }): Promise<void>
  /** The identities of a user, the oldest first. */
  listIdentities(userId: number): Promise<LinkedIdentity[]>
  /**
   * Removes an identity of the caller.
   * @throws KeywardError `identity_not_found`; `last_login_method` when the user has no password, no passkey and no
   *   other identity of an enabled provider; those of `Accounts.requireFresh`; `rate_limited`
   */
  unlinkOwn(caller: SessionCaller, of: FreshProof & { id: string }): Promise<void>
  /** Removes an identity of a user, for a command. @throws KeywardError `identity_not_found`, `last_login_method` */
  unlink(user: User, id: string): Promise<void>
  /** Replaces the seals of secrets after a change of SECRET_KEY. One server calls it every minute. */
  maintain(): Promise<void>
}

export const createSocial = (needs: SocialNeeds): Social => ({
  listProviders: () => providers.list(needs),
  findProvider: async (name) => providers.withoutSeal(await providers.require(needs, name)),
  addProvider: (provider, by) => providers.add(needs, provider, by),
  updateProvider: (name, change, by) => providers.update(needs, name, change, by),
  compareProvider: (wanted) => providers.compare(needs, wanted),
  removeProvider: (name, by) => providers.remove(needs, name, by),
  checkProvider: (name) => checkProvider(needs, name),
  callbackOf: (name) => callbackOf(needs, name),
  buttons: () => buttons(needs),
  async linkable(userId) {
    const linked = (await listOf(needs, userId)).map(({ provider }) => provider)
    return (await buttons(needs)).filter(({ name }) => !linked.includes(name))
  },
  begin: (name, purpose, from) => begin(needs, name, purpose, from),
  finish: (name, received, from) => finish(needs, name, received, from),
  requestOf: (of, sealed) => requestOf(needs, of, sealed),
  sealPending: (of, flow) => sealPending(needs, of, flow),
  openPending: (of, sealed) => openPending(needs, of, sealed),
  arrive: (identity, visit) => counted(needs, arrive(needs, identity, visit)),
  giveAddress: (pending, typed, visit) => giveAddress(needs, pending, typed, visit),
  askCode: (pending, visit) => askCode(needs, pending, visit),
  enterCode: (pending, code, visit) => counted(needs, enterCode(needs, pending, code, visit)),
  confirmByPassword: (pending, password, visit) => counted(needs, confirmByPassword(needs, pending, password, visit)),
  startOver: (pending, visit) => counted(needs, startOver(needs, pending, visit)),
  async linkOwn({ identity, user, ip }) {
    const provider = await providers.requireEnabled(needs, identity.provider)
    await linkOwn(needs, { provider, identity, user, ip })
  },
  listIdentities: (userId) => listOf(needs, userId),
  unlinkOwn: (caller, of) => unlinkOwn(needs, caller, of),
  unlink: (user, id) => unlinkOf(needs, user, id),
  maintain: () => providers.renewSeals(needs),
})

/** Counts a login that has ended, or was refused. One that goes on with another page is not counted yet. */
async function counted({ metrics }: Pick<SocialNeeds, 'metrics'>, arriving: Promise<Arrival>): Promise<Arrival> {
  const arrival = await arriving.catch((error) => metrics.login('social', Promise.reject(error)))
  return arrival.step === 'done' ? metrics.login('social', Promise.resolve(arrival)) : arrival
}

const buttons = async (needs: SocialNeeds) =>
  (await providers.list(needs)).filter(({ isEnabled }) => isEnabled).map(({ name, label }) => ({ name, label }))
