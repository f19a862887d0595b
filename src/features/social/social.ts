import type { NewProvider, Provider, ProviderChange } from './provider.ts'
import * as providers from './providers.ts'

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

export interface SocialNeeds extends providers.ProvidersNeeds {
  /** PUBLIC_URL. */
  publicUrl: string
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
   * Deletes a provider. The identities of its users stay, and work again with a new provider of the same issuer.
   * @throws KeywardError `provider_not_found`; the error of `by.allow`
   */
  removeProvider(name: string, by?: providers.ProviderChanger): Promise<void>
  /** The address that the provider needs to know as the redirect URI (RFC 6749 section 3.1.2). */
  callbackOf(name: string): string
  /** Replaces the seals of secrets after a change of SECRET_KEY. One server calls it every minute. */
  maintain(): Promise<void>
}

export const createSocial = (needs: SocialNeeds): Social => ({
  listProviders: () => providers.list(needs),
  findProvider: async (name) => providers.withoutSeal(await providers.require(needs, name)),
  addProvider: (provider, by) => providers.add(needs, provider, by),
  updateProvider: (name, change, by) => providers.update(needs, name, change, by),
  removeProvider: (name, by) => providers.remove(needs, name, by),
  callbackOf: (name) => `${needs.publicUrl}/social/${name}/callback`,
  maintain: () => providers.renewSeals(needs),
})
