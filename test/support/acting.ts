import {
  activate,
  createAccount,
  deactivate,
  deleteAccount,
  requireUser,
  setPassword,
} from '../../src/features/administration/administration.ts'
import { createApiKey, revokeApiKey } from '../../src/features/api-keys/api-keys.ts'
import { record } from '../../src/features/audit/audit.ts'
import type { AuditEvent } from '../../src/features/audit/events.ts'
import { importAccounts } from '../../src/features/import/import.ts'
import type { Plan } from '../../src/features/import/plan.ts'
import type { SourceRow } from '../../src/features/import/source.ts'
import { type ImportedUser, importUsers } from '../../src/features/import/users.ts'
import { giveRole } from '../../src/features/roles/assign.ts'
import { permissionsOf } from '../../src/features/roles/permissions.ts'
import type { SigningKey, VerificationKey } from '../../src/features/signing-keys/jwk.ts'
import { type Revocation, revokeKey } from '../../src/features/signing-keys/revoke.ts'
import { type Rotation, rotateKeys } from '../../src/features/signing-keys/rotate.ts'
import { findUser } from '../../src/features/users/find.ts'
import type { User } from '../../src/features/users/user.ts'
import type { EpochMs } from '../../src/lib/clock.ts'
import type { Deps } from '../../src/service.ts'

/** What administrators and commands do, without HTTP. Each method rejects as the use case does. */
export interface Admin {
  createUser(user: { email: string; username: string; password: string; admin?: boolean }): Promise<User>
  user(id: number): Promise<User>
  userNamed(identifier: string): Promise<User>
  giveRole(userId: number, role: string): Promise<void>
  permissionsOf(user: Who): Promise<string[]>
  setPassword(user: Who, password: string): Promise<void>
  deactivate(user: Who): Promise<void>
  activate(user: Who): Promise<void>
  deleteUser(user: Who): Promise<void>
  createApiKey(key: NewApiKey): Promise<{ id: number; text: string }>
  revokeApiKey(id: number): Promise<void>
  importAccounts(rows: readonly SourceRow[], options?: { skipInvalid?: boolean }): Promise<Plan>
  /** The last step of an import alone: adds all of these or, when one is taken meanwhile, none. */
  importUsers(users: readonly ImportedUser[]): Promise<boolean>
}

/** A user by id, or as it was read earlier: then what it says may be out of date. */
export type Who = number | User

export interface NewApiKey {
  owner: Who
  name?: string
  scopes: readonly string[]
  expiresAt?: EpochMs | null
}

/** The signing keys, as this process knows them. */
export interface Keys {
  rotate(options?: { early?: boolean }): Promise<Rotation>
  revoke(kid: string): Promise<Revocation>
  signing(): SigningKey
  find(kid: string): VerificationKey | undefined
  reload(): Promise<void>
}

/** Writes an audit event as a use case does. */
export type RecordEvent = (event: AuditEvent) => Promise<void>

export const adminOf = (deps: Deps): Admin => {
  const user = async (id: number): Promise<User> => {
    const found = await findUser(deps, id)
    if (found === undefined) throw new Error(`there is no user ${id}`)
    return found
  }
  const given = async (who: Who): Promise<User> => (typeof who === 'number' ? user(who) : who)
  return {
    user,
    createUser: (account) => createAccount(deps, { admin: false, ...account }),
    userNamed: (identifier) => requireUser(deps, identifier),
    giveRole: (userId, role) => giveRole(deps, { userId, role }),
    permissionsOf: async (who) => [...(await permissionsOf(deps, await given(who)))],
    setPassword: async (who, password) => setPassword(deps, await given(who), password),
    deactivate: async (who) => deactivate(deps, await given(who)),
    activate: async (who) => activate(deps, await given(who)),
    deleteUser: async (who) => deleteAccount(deps, await given(who)),
    createApiKey: async ({ owner, name = 'gateway', scopes, expiresAt }) =>
      createApiKey(deps, { owner: await given(owner), name, scopes, expiresAt }),
    revokeApiKey: (id) => revokeApiKey(deps, id),
    importAccounts: (rows, { skipInvalid = false } = {}) => importAccounts(deps, { rows, skipInvalid }),
    importUsers: (users) => importUsers(deps, users),
  }
}

export const keysOf = (deps: Deps): Keys => ({
  rotate: (options) => rotateKeys(deps, options),
  revoke: (kid) => revokeKey(deps, { kid }),
  signing: () => deps.keyring.signing(),
  find: (kid) => deps.keyring.find(kid),
  reload: () => deps.keyring.reload(),
})

export const recordOf =
  (deps: Deps): RecordEvent =>
  (event) =>
    record(deps, event)
