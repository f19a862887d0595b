import { rpIdOf } from '../../src/config/parts.ts'
import type { AuditEvent } from '../../src/features/audit/audit.ts'
import type { Client, Clients, NewClient } from '../../src/features/clients/clients.ts'
import { createFactorImport } from '../../src/features/factors/factors.ts'
import { createImport, type Performed, type Source, type SourceRow } from '../../src/features/import/import.ts'
import type { Permission } from '../../src/features/roles/roles.ts'
import type {
  PublicKeyAlgorithm,
  SigningKey,
  SigningKeys,
  VerificationKey,
} from '../../src/features/signing-keys/signing-keys.ts'
import type { NewProvider, Provider, Social } from '../../src/features/social/social.ts'
import type { BulkUser, User } from '../../src/features/users/users.ts'
import type { EpochMs } from '../../src/lib/clock.ts'
import type { Service } from '../../src/service.ts'

/** Operations of administrators and commands, without HTTP. Each method rejects as the use case does. */
export interface Admin {
  /** Without a password, the user is invited. */
  createUser(user: { email: string; username: string; password?: string; admin?: boolean }): Promise<User>
  user(id: number): Promise<User>
  userNamed(identifier: string): Promise<User>
  giveRole(userId: number, role: string): Promise<void>
  permissionsOf(user: Who): Promise<Permission[]>
  setPassword(user: Who, password: string): Promise<void>
  deactivate(user: Who): Promise<void>
  activate(user: Who): Promise<void>
  /** Does what the job does that ends deactivations. */
  activateDue(): Promise<number>
  deleteUser(user: Who): Promise<void>
  freeName(username: string): Promise<boolean>
  createApiKey(key: NewApiKey): Promise<{ id: number; text: string }>
  revokeApiKey(id: number): Promise<void>
  addProvider(provider: NewProvider): Promise<Provider>
  /** The use cases of a sign-in with a provider, behind the answer of the provider. */
  social: Social
  /** Registers a client of the code flow; `secret` is undefined for a public one. */
  createClient(client?: Partial<NewClient>): Promise<{ client: Client; secret: string | undefined }>
  clients: Clients
  renewSecrets(options: { apiKeys: boolean }): Promise<unknown>
  /** Imports accounts, and does something else between the plan and the first insert. */
  importAccounts(rows: readonly SourceRow[], meanwhile?: () => Promise<unknown>): Promise<Performed>
  /** Only the last step of an import: adds all of these, or none if a name was taken meanwhile. */
  importUsers(users: readonly ImportedUser[]): Promise<boolean>
}

/** A user by id, or an earlier copy, which may be out of date. */
export type Who = number | User

export interface NewApiKey {
  owner: Who
  name?: string
  scopes: readonly string[]
  expiresAt?: EpochMs | null
}

/** The signing keys, as this process knows them. */
export interface Keys {
  rotate(options?: { early?: boolean; idTokens?: PublicKeyAlgorithm }): ReturnType<SigningKeys['rotate']>
  revoke(kid: string): ReturnType<SigningKeys['revoke']>
  signing(): SigningKey
  find(kid: string): VerificationKey | undefined
  reload(): Promise<void>
}

/** Writes an audit event as a use case does. */
export type RecordEvent = (event: AuditEvent) => Promise<void>

export const adminOf = (service: Service): Admin => {
  const { administration, apiKeys, audit, clients, clock, roles, social, store, users } = service
  const user = async (id: number): Promise<User> => {
    const found = await users.find(id)
    if (found === undefined) throw new Error(`there is no user ${id}`)
    return found
  }
  const given = async (who: Who): Promise<User> => (typeof who === 'number' ? user(who) : who)
  const factors = createFactorImport({ store, clock, openSecrets: async () => service.secrets })
  const importing = createImport({ clock, users, roles, audit, factors, rpId: rpIdOf(service.config) })
  return {
    user,
    createUser: (account) => administration.createUser({ admin: false, ...account }),
    userNamed: (typed) => administration.requireUser(typed),
    giveRole: (userId, role) => roles.grant({ userId, role }),
    permissionsOf: async (who) => [...(await roles.permissionsOf(await given(who)))],
    setPassword: async (who, password) => administration.setPassword(await given(who), password),
    deactivate: async (who) => administration.deactivate(await given(who)),
    activateDue: () => administration.activateDue(100),
    activate: async (who) => administration.activate(await given(who)),
    deleteUser: async (who) => administration.deleteUser(await given(who)),
    freeName: (username) => administration.freeName(username),
    async createApiKey({ owner, name = 'gateway', scopes, expiresAt }) {
      const { key, text } = await apiKeys.create({ owner: await given(owner), name, scopes, expiresAt })
      return { id: key.id, text }
    },
    revokeApiKey: (id) => apiKeys.revoke(id),
    addProvider: (provider) => social.addProvider(provider),
    social,
    async createClient(settings = {}) {
      const redirectUris = ['https://app.example/callback']
      const { client, secret } = await administration.createClient(undefined, {
        name: 'Shop',
        redirectUris,
        ...settings,
      })
      return { client, secret: secret?.text }
    },
    clients,
    renewSecrets: (options) => administration.renewSecrets(options),
    async importAccounts(rows, meanwhile) {
      const source = sourceOfRows(rows)
      const plan = await importing.plan(source)
      if (plan.problems > 0) throw new Error(`${plan.problems} accounts have a problem`)
      await meanwhile?.()
      const performed = await importing.perform({ source, plan })
      plan.close()
      return performed
    },
    async importUsers(added) {
      await users.reserveIds(Math.max(...added.map(({ id = 0 }) => id)))
      const all = added.map((user) => ({ inactiveUntil: null, invitedAt: null, ...user }))
      return users.insertAllOrNone(all, async () => {})
    },
  }
}

/** A user of an import, who is neither invited nor deactivated for a time unless it says so. */
type ImportedUser = Omit<BulkUser, 'inactiveUntil' | 'invitedAt'> &
  Partial<Pick<BulkUser, 'inactiveUntil' | 'invitedAt'>>

/** Accounts as those of another service. */
const sourceOfRows = (rows: readonly SourceRow[]): Source => ({
  service: 'test',
  passwordless: false,
  idless: false,
  total: rows.length,
  async *rows() {
    yield [...rows]
  },
  ignoredColumns: () => [],
  close: async () => {},
})

export const keysOf = ({ signingKeys }: Service): Keys => ({
  rotate: (options) => signingKeys.rotate(options),
  revoke: (kid) => signingKeys.revoke(kid),
  signing: () => signingKeys.signing(),
  find: (kid) => signingKeys.find(kid),
  reload: () => signingKeys.reload(),
})

/** Mints tokens as the grants of clients do. */
export type Tokens = Pick<
  Service['tokens'],
  'mintForClient' | 'mintForService' | 'mintIdToken' | 'mintLogoutToken' | 'readIdTokenHint'
>

export const recordOf =
  ({ audit }: Service): RecordEvent =>
  (event) =>
    audit.record(event)
