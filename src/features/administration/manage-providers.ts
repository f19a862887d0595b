import { accountWrite } from '../limits/limits.ts'
import type { NewProvider, Provider, ProviderChange, ProviderChanger, ProviderCheck } from '../social/social.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, requireRight } from './change-user.ts'

const permission = 'providers:write'

/** What administrators do to the services with which people sign in. */
export interface ProviderAdministration {
  /** All providers by name. */
  listProviders(): Promise<Provider[]>
  /** @throws KeywardError `provider_not_found` */
  findProvider(name: string): Promise<Provider>
  /** @throws KeywardError the errors of `Social.addProvider`, and those of `makeChange` */
  addProvider(actor: Actor, provider: NewProvider): Promise<Provider>
  /** @throws KeywardError the errors of `Social.updateProvider`, and those of `makeChange` */
  updateProvider(actor: Actor, name: string, change: ProviderChange): Promise<Provider>
  /** @throws KeywardError the errors of `Social.removeProvider`, and those of `makeChange` */
  removeProvider(actor: Actor, name: string): Promise<void>
  /** @throws KeywardError `provider_not_found`, `rate_limited`, and those of `makeChange` */
  checkProvider(actor: Actor, name: string): Promise<ProviderCheck[]>
  /** The address that a provider needs to know as the redirect URI. */
  callbackOf(name: string): string
}

export function providerAdministration(needs: AdministrationNeeds): ProviderAdministration {
  const { social } = needs
  return {
    listProviders: () => social.listProviders(),
    findProvider: (name) => social.findProvider(name),
    addProvider: (actor, provider) => change(needs, actor, (by) => social.addProvider(provider, by)),
    updateProvider: (actor, name, wanted) => change(needs, actor, (by) => social.updateProvider(name, wanted, by)),
    removeProvider: (actor, name) => change(needs, actor, (by) => social.removeProvider(name, by)),
    async checkProvider(actor, name) {
      const { caller, client, ip } = actor
      const { userId } = caller
      await needs.accounts.requireFresh(caller, { client, ip })
      await requireRight(needs, caller, permission)
      await using place = await needs.limits.reserve([accountWrite(userId)], { userId, ip })
      const checks = await social.checkProvider(name)
      place.keep()
      return checks
    },
    callbackOf: (name) => social.callbackOf(name),
  }
}

/**
 * Does what `makeChange` does, for a change that seals a secret and therefore cannot run whole in one transaction:
 * `work` calls `by.allow` in the transaction that writes.
 */
async function change<Made>(
  needs: AdministrationNeeds,
  actor: Actor,
  work: (by: ProviderChanger) => Promise<Made>,
): Promise<Made> {
  const { accounts, limits, roles } = needs
  const { caller, client, ip } = actor
  await accounts.requireFresh(caller, { client, ip })
  await requireRight(needs, caller, permission)
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  const allow = async () => {
    await roles.lock()
    await requireRight(needs, caller, permission)
  }
  const made = await work({ ...byOf(actor), allow })
  place.keep()
  return made
}
