import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { type Secrets, unopenable } from '../secrets/secrets.ts'
import type { NewProvider, Provider, ProviderChange } from './provider.ts'
import * as store from './providers.store.ts'
import { type Described, readChange, readNew } from './read-provider.ts'

export interface ProvidersNeeds {
  store: Store
  clock: Clock
  audit: Audit
  secrets: Pick<Secrets, 'seal' | 'unseal' | 'reseal'>
}

/** The administrator who changes a provider over HTTP; not given for the command line. */
export interface ProviderChanger {
  actorId: number
  ip: string
  /** Runs in the transaction of the change, and throws when the administrator may not make it. */
  allow: () => Promise<unknown>
}

/**
 * Binds a sealed secret to its row, and to the service that gets it: whoever can write to the database, but has no
 * SECRET_KEY, cannot have the secret sent to an address of their own.
 */
const sealContext = ({ name, kind, issuer }: Pick<Provider, 'name' | 'kind' | 'issuer'>): string =>
  `providers.sealed_secret:${name}:${kind}:${issuer}`

/** Implements `Social.addProvider`. */
export async function add(needs: ProvidersNeeds, given: NewProvider, by?: ProviderChanger): Promise<Provider> {
  const { store: db, clock, audit } = needs
  const described = readNew(given)
  // Sealing reads the database, so it is done before the transaction.
  const sealedSecret = await sealed(needs, described, given.clientSecret)
  const now = clock.now()
  const provider = { ...described, sealedSecret, hasSecret: sealedSecret !== '', createdAt: now, updatedAt: now }
  await db.transaction(async () => {
    await by?.allow()
    if (!(await store.insert(db, provider))) throw new KeywardError('provider_taken')
    await audit.record({
      event: 'provider.created',
      ...authorOf(by),
      details: { name: provider.name, kind: given.kind },
    })
  })
  return withoutSeal(provider)
}

/** Implements `Social.updateProvider`. */
export async function update(
  needs: ProvidersNeeds,
  name: string,
  change: ProviderChange,
  by?: ProviderChanger,
): Promise<Provider> {
  const { store: db, clock, audit } = needs
  const before = await require(needs, name)
  const isNewSecret = change.clientSecret !== undefined && change.clientSecret !== openSecret(needs, before, 'lenient')
  readChange(before, change)
  const sealedSecret = isNewSecret ? await sealed(needs, before, change.clientSecret) : undefined
  return db.transaction(async () => {
    await by?.allow()
    const present = await store.hold(db, name)
    // A provider of another service may have this name by now, whose secret has another seal.
    if (!present || sealContext(present) !== sealContext(before)) throw new KeywardError('provider_not_found')
    const wanted = { ...present, ...readChange(present, change), sealedSecret: sealedSecret ?? present.sealedSecret }
    const changed = differences(present, wanted)
    if (changed.length === 0) return withoutSeal(present)
    const provider = { ...wanted, hasSecret: wanted.sealedSecret !== '', updatedAt: clock.now() }
    await store.update(db, provider)
    const details = { name, fields: changed.join(' ') }
    await audit.record({ event: 'provider.changed', ...authorOf(by), details })
    return withoutSeal(provider)
  })
}

/** A provider before a change and after it, without times. */
export interface ProviderDifference {
  before: Described | undefined
  after: Described
  isNewSecret: boolean
}

/** Implements `Social.compareProvider`. */
export async function compare(
  needs: ProvidersNeeds,
  wanted: { add: NewProvider } | { name: string; change: ProviderChange },
): Promise<ProviderDifference> {
  if ('add' in wanted)
    return { before: undefined, after: readNew(wanted.add), isNewSecret: wanted.add.clientSecret !== undefined }
  const before = await require(needs, wanted.name)
  const { clientSecret } = wanted.change
  const isNewSecret = clientSecret !== undefined && clientSecret !== openSecret(needs, before, 'lenient')
  return { before: withoutSeal(before), after: readChange(before, wanted.change), isNewSecret }
}

/** The names of the members that differ, as routes write them. */
function differences(from: store.StoredProvider, to: store.StoredProvider): string[] {
  const names = {
    label: 'label',
    clientId: 'client_id',
    sealedSecret: 'client_secret',
    settings: 'settings',
    trustsEmail: 'trust_email',
    link: 'link',
    signsUp: 'sign_up',
    isEnabled: 'enabled',
  } as const
  const members = Object.keys(names) as (keyof typeof names)[]
  return members.filter((member) => !Bun.deepEquals(from[member], to[member])).map((member) => names[member])
}

/** Implements `Social.removeProvider`. */
export const remove = ({ store: db, audit }: ProvidersNeeds, name: string, by?: ProviderChanger): Promise<void> =>
  db.transaction(async () => {
    await by?.allow()
    if (!(await store.remove(db, name))) throw new KeywardError('provider_not_found')
    await audit.record({ event: 'provider.deleted', ...authorOf(by), details: { name } })
  })

export const list = async ({ store: db }: Pick<ProvidersNeeds, 'store'>): Promise<Provider[]> =>
  (await store.list(db)).map(withoutSeal)

/** @throws KeywardError `provider_not_found` */
export async function require(
  { store: db }: Pick<ProvidersNeeds, 'store'>,
  name: string,
): Promise<store.StoredProvider> {
  const provider = isName(name) ? await store.find(db, name) : undefined
  if (!provider) throw new KeywardError('provider_not_found')
  return provider
}

/**
 * Finds a provider with which people may sign in.
 * @throws KeywardError `provider_not_found`, also for one that is switched off
 */
export async function requireEnabled(
  needs: Pick<ProvidersNeeds, 'store'>,
  name: string,
): Promise<store.StoredProvider> {
  const provider = await require(needs, name)
  if (!provider.isEnabled) throw new KeywardError('provider_not_found')
  return provider
}

/** False for a text that no provider can have as its name. Such a text is not sent to the database. */
const isName = (text: string): boolean => /^[a-z0-9-]{1,32}$/.test(text)

/**
 * The secret of a provider; undefined when it has none.
 * @param mode `lenient` also returns undefined for a seal that does not open
 * @throws KeyringError for a seal that does not open
 */
export function openSecret(
  { secrets }: { secrets: Pick<Secrets, 'unseal'> },
  provider: store.StoredProvider,
  mode: 'strict' | 'lenient' = 'strict',
): string | undefined {
  if (provider.sealedSecret === '') return undefined
  const secret = secrets.unseal(sealContext(provider), provider.sealedSecret)
  if (!secret && mode === 'strict') throw unopenable()
  return secret && Buffer.from(secret).toString()
}

/** Replaces the seals of secrets by seals of SECRET_KEY, where `Secrets.reseal` allows it. */
export async function renewSeals({ store: db, secrets }: ProvidersNeeds): Promise<void> {
  for (const provider of await store.list(db)) {
    const { name, sealedSecret: from } = provider
    const to = from === '' ? undefined : await secrets.reseal(sealContext(provider), from)
    if (to !== undefined) await store.replaceSeal(db, { name, from, to })
  }
}

const sealed = async (
  { secrets }: ProvidersNeeds,
  provider: Pick<Provider, 'name' | 'kind' | 'issuer'>,
  secret: string | undefined,
): Promise<string> => (secret === undefined ? '' : secrets.seal(sealContext(provider), Buffer.from(secret)))

export const withoutSeal = ({ sealedSecret: _, ...provider }: store.StoredProvider): Provider => provider

const authorOf = (by: ProviderChanger | undefined) => by && { actorId: by.actorId, ip: by.ip }
