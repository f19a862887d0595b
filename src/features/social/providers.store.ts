import { and, asc, eq } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import type { LinkMode, Provider, ProviderKind, ProviderSettings } from './provider.ts'

type Row = Db['t']['providers']['$inferSelect']

/** A provider with its sealed secret, which is empty without a secret. */
export interface StoredProvider extends Provider {
  sealedSecret: string
}

const read = ({ kind, link, settings, ...row }: Row): StoredProvider => ({
  ...row,
  kind: kind as ProviderKind,
  link: link as LinkMode,
  settings: JSON.parse(settings) as ProviderSettings,
  hasSecret: row.sealedSecret !== '',
})

const write = ({ hasSecret: _, settings, ...provider }: StoredProvider): Row => ({
  ...provider,
  settings: JSON.stringify(settings),
})

/** All providers by name. */
export const list = async ({ q, t: { providers } }: Db): Promise<StoredProvider[]> =>
  (await q.select().from(providers).orderBy(asc(providers.name))).map(read)

export const find = async ({ q, t: { providers } }: Db, name: string): Promise<StoredProvider | undefined> =>
  (await q.select().from(providers).where(eq(providers.name, name))).map(read)[0]

/** Adds a provider. @returns false when a provider has this name */
export async function insert({ q, t: { providers } }: Db, provider: StoredProvider): Promise<boolean> {
  const added = await q
    .insert(providers)
    .values(write(provider))
    .onConflictDoNothing()
    .returning({ name: providers.name })
  return added.length > 0
}

/** Locks the row of a provider until the transaction ends. @returns the provider; undefined when there is none */
export async function hold({ q, t: { providers } }: Db, name: string): Promise<StoredProvider | undefined> {
  return (await q.update(providers).set({ name }).where(eq(providers.name, name)).returning()).map(read)[0]
}

export const update = ({ q, t: { providers } }: Db, provider: StoredProvider): Promise<unknown> =>
  q.update(providers).set(write(provider)).where(eq(providers.name, provider.name))

/** Deletes a provider. @returns false when there is none */
export async function remove({ q, t: { providers } }: Db, name: string): Promise<boolean> {
  const removed = await q.delete(providers).where(eq(providers.name, name)).returning({ name: providers.name })
  return removed.length > 0
}

/** Replaces the seal `from` of a secret by `to`. Does nothing when the secret was changed meanwhile. */
export const replaceSeal = (
  { q, t: { providers } }: Db,
  { name, from, to }: { name: string; from: string; to: string },
): Promise<unknown> =>
  q
    .update(providers)
    .set({ sealedSecret: to })
    .where(and(eq(providers.name, name), eq(providers.sealedSecret, from)))
