import { invalidField, KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { type Client, type ClientSecret, type ClientSettings, isClientId } from './client.ts'
import type { By, ClientChange, ClientsNeeds, MadeSecret, NewClient, NewSecret } from './clients.ts'
import { makeClientId, makeSecretText, secretMacs } from './secret-text.ts'
import { defaultSettings, readSettings } from './settings.ts'
import * as store from './store.ts'

const MAX_LIVE_SECRETS = 2

/** Implements `Clients.check`. */
export async function check(needs: ClientsNeeds, { id, allowsHttp, ...typed }: NewClient): Promise<ClientSettings> {
  const { roles, settings } = needs
  if (settings.unavailable !== undefined)
    throw new KeywardError('clients_unavailable', { sentence: settings.unavailable })
  const rules = { ...settings, allowsHttp: settings.allowsHttp || allowsHttp === true }
  const isPublic = typed.isPublic ?? false
  if (id !== undefined && !isClientId(id))
    throw invalidField('id', 'The id is kwa_ and 20 of the characters a to z and 2 to 7')
  if (id !== undefined && (await store.find(needs.store, id))) throw new KeywardError('client_taken')
  return readSettings({ roles, rules }, { ...defaultSettings, isPublic, ...withoutUndefined(typed) })
}

/** Implements `Clients.create`. */
export async function create(
  needs: ClientsNeeds,
  typed: NewClient,
  by?: By,
): Promise<{ client: Client; secret: MadeSecret | undefined }> {
  const { store: db, clock, random, audit } = needs
  const settings = await check(needs, typed)
  const id = typed.id ?? makeClientId(random)
  const text = makeSecretText(random)
  return db.transaction(async () => {
    const now = clock.now()
    const client: Client = { id, ...settings, createdAt: now, updatedAt: now }
    if (!(await store.insert(db, client))) throw new KeywardError('client_taken')
    await audit.record({ event: 'client.created', ...by, details: { client: id, after: JSON.stringify(settings) } })
    const secret = client.isPublic ? undefined : await insertSecret(needs, { clientId: id, text, expiresAt: null })
    db.afterCommit(needs.refreshOrigins)
    return { client, secret }
  })
}

/**
 * Applies a change to the settings of a client.
 * @returns undefined when nothing changes
 * @throws KeywardError `validation_failed`
 */
export async function changed(
  { roles, settings }: ClientsNeeds,
  client: Client,
  { allowsHttp, ...change }: ClientChange,
): Promise<{ to: Client; before: Partial<Client>; after: Partial<Client> } | undefined> {
  const rules = { ...settings, allowsHttp: settings.allowsHttp || allowsHttp === true }
  const to = {
    ...client,
    ...(await readSettings({ roles, rules }, { ...client, ...withoutUndefined(change) }, client)),
  }
  const names = (Object.keys(to) as (keyof Client)[]).filter(
    (name) => JSON.stringify(to[name]) !== JSON.stringify(client[name]),
  )
  if (names.length === 0) return undefined
  const pick = (from: Client) => Object.fromEntries(names.map((name) => [name, from[name]])) as Partial<Client>
  return { to, before: pick(client), after: pick(to) }
}

/** Implements `Clients.update`. */
export function update(needs: ClientsNeeds, id: string, change: ClientChange, by?: By): Promise<Client> {
  const { store: db, clock, audit } = needs
  return db.transaction(async () => {
    const client = await lock(needs, id)
    const made = await changed(needs, client, change)
    if (!made) return client
    const to = { ...made.to, updatedAt: clock.now() }
    await store.update(db, to)
    const details = { client: id, before: JSON.stringify(made.before), after: JSON.stringify(made.after) }
    await audit.record({ event: 'client.changed', ...by, details })
    db.afterCommit(needs.refreshOrigins)
    return to
  })
}

/** Implements `Clients.remove`. */
export function remove(needs: ClientsNeeds, id: string, by?: By): Promise<void> {
  const { store: db, audit } = needs
  return db.transaction(async () => {
    const { createdAt: _, updatedAt: __, id: ___, ...settings } = await lock(needs, id)
    await store.remove(db, id)
    await audit.record({ event: 'client.deleted', ...by, details: { client: id, before: JSON.stringify(settings) } })
    db.afterCommit(needs.refreshOrigins)
  })
}

/** Implements `Clients.addSecret`. */
export async function addSecret(needs: ClientsNeeds, id: string, asked: NewSecret, by?: By): Promise<MadeSecret> {
  const { store: db, random, audit } = needs
  const { expiresAt = null, othersExpireAt } = asked
  const text = makeSecretText(random)
  return db.transaction(async () => {
    const client = await lock(needs, id)
    await checkSecret(needs, client, asked)
    if (othersExpireAt !== undefined) await store.limitSecrets(db, { clientId: id, expiresAt: othersExpireAt })
    const secret = await insertSecret(needs, { clientId: id, text, expiresAt })
    await audit.record({
      event: 'client.secret_added',
      ...by,
      details: {
        client: id,
        secret: secret.id,
        ...(expiresAt !== null && { expiresAt }),
        ...(othersExpireAt !== undefined && { othersExpireAt }),
      },
    })
    return secret
  })
}

/** Implements `Clients.checkSecret`. */
export async function checkSecret(
  { store: db, clock }: ClientsNeeds,
  client: Client,
  { expiresAt = null, othersExpireAt }: NewSecret,
): Promise<void> {
  if (client.isPublic) throw new KeywardError('client_is_public')
  const now = clock.now()
  const message = 'The end must be in the future'
  const errors = [
    ...(expiresAt !== null && expiresAt <= now ? [{ field: 'expires_at', message }] : []),
    ...(othersExpireAt !== undefined && othersExpireAt <= now ? [{ field: 'others_expire_at', message }] : []),
  ]
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
  if ((await store.countLiveSecrets(db, { clientId: client.id, now })) >= MAX_LIVE_SECRETS)
    throw new KeywardError('too_many_secrets')
}

/** Implements `Clients.revokeSecret`. */
export function revokeSecret(needs: ClientsNeeds, clientId: string, id: number, by?: By): Promise<void> {
  const { store: db, clock, audit } = needs
  return db.transaction(async () => {
    await lock(needs, clientId)
    if (!(await store.revokeSecret(db, { clientId, id, now: clock.now() })))
      throw new KeywardError('client_secret_not_found')
    await audit.record({ event: 'client.secret_revoked', ...by, details: { client: clientId, secret: id } })
  })
}

/** Locks a client until the transaction ends. @throws KeywardError `client_not_found` */
async function lock({ store: db }: ClientsNeeds, id: string): Promise<Client> {
  const client = isClientId(id) ? await store.lock(db, id) : undefined
  if (!client) throw new KeywardError('client_not_found')
  return client
}

async function insertSecret(
  { store: db, clock, secrets }: ClientsNeeds,
  { clientId, text, expiresAt }: { clientId: string; text: string; expiresAt: EpochMs | null },
): Promise<MadeSecret> {
  const row = { clientId, hint: text.slice(-4), createdAt: clock.now(), expiresAt }
  const [mac] = secretMacs(secrets.macKeys('client_secret'), text)
  const id = await store.insertSecret(db, { ...row, mac })
  const secret: ClientSecret = { id, ...row, lastUsedAt: null, revokedAt: null }
  return { ...secret, text }
}

const withoutUndefined = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
