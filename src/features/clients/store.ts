import { and, asc, count, desc, eq, getTableColumns, gt, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder } from '../../storage/cast-placeholder.ts'
import { named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { Level } from '../tokens/tokens.ts'
import type { Client, ClientSecret, ClientSettings, GrantType, IdTokenAlg } from './client.ts'

type ClientRow = Db['t']['clients']['$inferSelect']

const prepared = statements(({ q: query, t: { clients, clientSecrets } }, { select, locking }) => {
  const ofId = eq(clients.id, named('id'))
  const isLive = (clientId: SQL | typeof clients.id) =>
    and(
      eq(clientSecrets.mac, castPlaceholder('mac', 'text')),
      eq(clientSecrets.clientId, clientId),
      isNull(clientSecrets.revokedAt),
      or(isNull(clientSecrets.expiresAt), gt(clientSecrets.expiresAt, named('now'))),
    )
  const ofSecret = (value: typeof clientSecrets.id | typeof clientSecrets.lastUsedAt) =>
    sql`(${query.select({ value }).from(clientSecrets).where(isLive(clients.id))})`.mapWith((number): number | null =>
      Number(number),
    )
  return {
    find: select(getTableColumns(clients), (q) => q.from(clients).where(ofId)),
    findWithSecret: select(
      {
        client: getTableColumns(clients),
        secretId: ofSecret(clientSecrets.id),
        lastUsedAt: ofSecret(clientSecrets.lastUsedAt),
      },
      (q) => q.from(clients).where(ofId),
    ),
    lock: locking(getTableColumns(clients), (q) => q.from(clients).where(ofId)),
    findLiveSecret: select({ id: clientSecrets.id, lastUsedAt: clientSecrets.lastUsedAt }, (q) =>
      q.from(clientSecrets).where(isLive(castPlaceholder('clientId', 'text'))),
    ),
  }
})

export async function find(db: Db, id: string): Promise<Client | undefined> {
  const [row] = await readRows(db, prepared(db).find, { id })
  return row && toClient(row)
}

/** A client, and its live secret that was asked for; undefined when there is none. */
export interface ClientWithSecret {
  client: Client
  secret: { id: number; lastUsedAt: EpochMs | null } | undefined
}

/** Finds a client, and its secret with this MAC if the secret is neither revoked nor expired. */
export async function findWithSecret(
  db: Db,
  by: { id: string; mac: string | null; now: EpochMs },
): Promise<ClientWithSecret | undefined> {
  const [row] = await readRows(db, prepared(db).findWithSecret, by)
  if (!row) return undefined
  const { client, secretId, lastUsedAt } = row
  return { client: toClient(client), secret: secretId === null ? undefined : { id: secretId, lastUsedAt } }
}

/** Finds a secret of the client that is neither revoked nor expired. */
export const findLiveSecret = async (db: Db, by: { clientId: string; mac: string; now: EpochMs }) =>
  (await queryRows(db, prepared(db).findLiveSecret, by))[0]

/** Records a use of a secret. `mac` is the MAC of the current data key, and replaces the stored MAC. */
export async function touchSecret(
  { q, t: { clientSecrets } }: Db,
  { id, mac, lastUsedAt }: { id: number; mac: string; lastUsedAt: EpochMs },
): Promise<void> {
  await q.update(clientSecrets).set({ mac, lastUsedAt }).where(eq(clientSecrets.id, id))
}

/** Up to `limit` clients with an id above `after`, by id. */
export async function list(
  { q, t: { clients } }: Db,
  { after, limit }: { after: string; limit: number },
): Promise<Client[]> {
  const rows = await q.select().from(clients).where(gt(clients.id, after)).orderBy(asc(clients.id)).limit(limit)
  return rows.map(toClient)
}

/** Adds a client. @returns false when a client has this id */
export async function insert({ q, t: { clients } }: Db, client: Client): Promise<boolean> {
  const { id, createdAt, updatedAt } = client
  const authMethod = client.isPublic ? 'none' : 'secret'
  const added = await q
    .insert(clients)
    .values({ id, authMethod, createdAt, updatedAt, ...toColumns(client) })
    .onConflictDoNothing()
    .returning({ id: clients.id })
  return added.length > 0
}

/** Stores all settings of a client. @returns false when there is no such client */
export async function update({ q, t: { clients } }: Db, client: Client): Promise<boolean> {
  const changed = await q
    .update(clients)
    .set({ ...toColumns(client), updatedAt: client.updatedAt })
    .where(eq(clients.id, client.id))
    .returning({ id: clients.id })
  return changed.length > 0
}

/**
 * Locks the row of a client until the transaction ends. Call it before a decision that depends on the client or on its
 * secrets.
 * @returns the client, read under the lock; undefined when there is none
 */
export async function lock(db: Db, id: string): Promise<Client | undefined> {
  const [row] = await queryRows(db, prepared(db).lock, { id })
  return row && toClient(row)
}

/** Deletes a client. The database deletes what belongs to it. @returns false when there was none */
export async function remove({ q, t: { clients } }: Db, id: string): Promise<boolean> {
  const removed = await q.delete(clients).where(eq(clients.id, id)).returning({ id: clients.id })
  return removed.length > 0
}

/** The redirect URIs of every public client that is enabled. */
export async function redirectUrisOfPublic({ q, t: { clients } }: Db): Promise<string[]> {
  const rows = await q
    .select({ redirectUris: clients.redirectUris })
    .from(clients)
    .where(and(eq(clients.authMethod, 'none'), eq(clients.isEnabled, true)))
  return rows.flatMap(({ redirectUris }) => JSON.parse(redirectUris) as string[])
}

export async function insertSecret(
  { q, t: { clientSecrets } }: Db,
  secret: Pick<ClientSecret, 'clientId' | 'hint' | 'createdAt' | 'expiresAt'> & { mac: string },
): Promise<number> {
  const [row] = await q.insert(clientSecrets).values(secret).returning({ id: clientSecrets.id })
  return row!.id
}

/** The secrets of a client, the newest first, including expired and revoked ones. */
export function secretsOf({ q, t: { clientSecrets } }: Db, clientId: string): Promise<ClientSecret[]> {
  const { mac: _, ...columns } = getTableColumns(clientSecrets)
  return q
    .select(columns)
    .from(clientSecrets)
    .where(eq(clientSecrets.clientId, clientId))
    .orderBy(desc(clientSecrets.id))
}

/** Counts the secrets of a client that are neither revoked nor expired. */
export async function countLiveSecrets(
  { q, t: { clientSecrets } }: Db,
  { clientId, now }: { clientId: string; now: EpochMs },
): Promise<number> {
  const [row] = await q
    .select({ secrets: count() })
    .from(clientSecrets)
    .where(
      and(
        eq(clientSecrets.clientId, clientId),
        isNull(clientSecrets.revokedAt),
        or(isNull(clientSecrets.expiresAt), gt(clientSecrets.expiresAt, now)),
      ),
    )
  return Number(row?.secrets ?? 0)
}

/** Gives the live secrets of a client that expire later, or never, the end `expiresAt`. */
export async function limitSecrets(
  { q, t: { clientSecrets } }: Db,
  { clientId, expiresAt }: { clientId: string; expiresAt: EpochMs },
): Promise<void> {
  await q
    .update(clientSecrets)
    .set({ expiresAt })
    .where(
      and(
        eq(clientSecrets.clientId, clientId),
        isNull(clientSecrets.revokedAt),
        or(isNull(clientSecrets.expiresAt), gt(clientSecrets.expiresAt, expiresAt)),
      ),
    )
}

/** Revokes a secret of the client. @returns false when there is none, or it is revoked already */
export async function revokeSecret(
  { q, t: { clientSecrets } }: Db,
  { clientId, id, now }: { clientId: string; id: number; now: EpochMs },
): Promise<boolean> {
  const revoked = await q
    .update(clientSecrets)
    .set({ revokedAt: now })
    .where(and(eq(clientSecrets.id, id), eq(clientSecrets.clientId, clientId), isNull(clientSecrets.revokedAt)))
    .returning({ id: clientSecrets.id })
  return revoked.length > 0
}

const words = (text: string): string[] => (text === '' ? [] : text.split(' '))

function toClient({ authMethod, ...row }: ClientRow): Client {
  return {
    ...row,
    isPublic: authMethod === 'none',
    redirectUris: JSON.parse(row.redirectUris) as string[],
    postLogoutRedirectUris: JSON.parse(row.postLogoutRedirectUris) as string[],
    grantTypes: words(row.grantTypes) as GrantType[],
    scopes: words(row.scopes),
    resources: JSON.parse(row.resources) as string[],
    credentialsScopes: words(row.credentialsScopes),
    idTokenAlg: row.idTokenAlg as IdTokenAlg,
    requiredAcr: row.requiredAcr as Level | null,
  }
}

/** The columns of the settings that an administrator can change later. */
const toColumns = (settings: ClientSettings) => ({
  name: settings.name,
  redirectUris: JSON.stringify(settings.redirectUris),
  postLogoutRedirectUris: JSON.stringify(settings.postLogoutRedirectUris),
  grantTypes: settings.grantTypes.join(' '),
  scopes: settings.scopes.join(' '),
  resources: JSON.stringify(settings.resources),
  credentialsScopes: settings.credentialsScopes.join(' '),
  isTrusted: settings.isTrusted,
  requiresPkce: settings.requiresPkce,
  idTokenAlg: settings.idTokenAlg,
  hasClaimsInIdToken: settings.hasClaimsInIdToken,
  backchannelLogoutUri: settings.backchannelLogoutUri,
  requiredRole: settings.requiredRole,
  requiredAcr: settings.requiredAcr,
  homeUri: settings.homeUri,
  isEnabled: settings.isEnabled,
})
