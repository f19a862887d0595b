import { invalidField, KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { Audit, AuditFilter, AuditRow } from '../audit/audit.ts'
import type { Clients } from '../clients/clients.ts'
import type { Factors } from '../factors/factors.ts'
import type { Invitations } from '../invitations/invitations.ts'
import { knownAccount, type Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Roles } from '../roles/roles.ts'
import type { Purpose, Secrets } from '../secrets/secrets.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import type { Social } from '../social/social.ts'
import { nameKeysOf, type User, type UserMark, type Users } from '../users/users.ts'
import { type AddedUser, addUser, createUser, inviteAgain } from './add-user.ts'
import { grantRole, type RoleOfUser, withdrawRole } from './change-roles.ts'
import { type Actor, removeUser } from './change-user.ts'
import { endAllSessions, endSessions, endSessionsOf, inBatches } from './end-sessions.ts'
import { findUser, listAudit, listUsers, type Page, type UserSearch } from './lists.ts'
import { mailReset } from './mail-reset.ts'
import { type ApiKeyAdministration, apiKeyAdministration } from './manage-api-keys.ts'
import { type ClientAdministration, clientAdministration } from './manage-clients.ts'
import { type FactorAdministration, factorAdministration } from './manage-factors.ts'
import { type MailAdministration, mailAdministration } from './manage-mails.ts'
import { type ProviderAdministration, providerAdministration } from './manage-providers.ts'
import { type RoleAdministration, roleAdministration } from './manage-roles.ts'
import { type SigningKeyAdministration, signingKeyAdministration } from './manage-signing-keys.ts'
import { type OperatorRoles, operatorRoles } from './operator-roles.ts'
import { activate, activateDue, type Deactivation, deactivate, type UserChange, updateUser } from './update-user.ts'

export { orderOf } from './user-order.ts'

export interface AdministrationNeeds {
  store: Store
  clock: Clock
  audit: Audit
  secrets: Secrets
  limits: Limits
  apiKeys: ApiKeys
  clients: Clients
  users: Users
  passwords: Passwords
  roles: Roles
  sessions: Sessions
  factors: Pick<Factors, 'list' | 'reset' | 'atLevel'>
  accounts: Accounts
  mails: Pick<Mails, 'isOn' | 'notify' | 'list' | 'find' | 'resend'>
  signingKeys: Pick<SigningKeys, 'list' | 'rotate' | 'revoke' | 'ensureIdTokenKey'>
  invitations: Invitations
  social: Pick<
    Social,
    | 'listProviders'
    | 'findProvider'
    | 'addProvider'
    | 'updateProvider'
    | 'removeProvider'
    | 'checkProvider'
    | 'callbackOf'
  >
}

/** The operations with which administrators manage the accounts of others. */
export interface Administration
  extends OperatorRoles,
    RoleAdministration,
    ApiKeyAdministration,
    ClientAdministration,
    SigningKeyAdministration,
    MailAdministration,
    FactorAdministration,
    ProviderAdministration {
  /**
   * Creates an account, even when registration is closed, the mail domain may not register, or the username is one of
   * the reserved words such as `support`. The username of a deleted user is refused with `username_taken`. Without a
   * password the user is invited by mail.
   * @param account.admin true to give the account the role `admin`
   * @throws KeywardError `validation_failed` with every wrong field, `email_taken`, `username_taken`, `overloaded`;
   *   `mail_not_configured` for an invitation
   */
  createUser(account: Omit<AddedUser, 'roles'> & { admin: boolean }): Promise<User>
  /**
   * Creates an account as `createUser` does, for an administrator, who needs `users:write`; with roles also
   * `roles:write` and every permission of each role.
   * @throws KeywardError `reauthentication_required`, `invalid_token`, `forbidden`, `rate_limited`, and the errors of
   *   `createUser`
   */
  addUser(actor: Actor, added: AddedUser): Promise<User>
  /**
   * Mails another invitation to a user who has not accepted the last one. The links of earlier invitations are void.
   * @throws KeywardError `mail_not_configured`, `user_inactive`, `not_invited`, and the errors of `changeUser`
   */
  inviteAgain(actor: Actor, id: string): Promise<void>
  /**
   * Does what `inviteAgain` does, for a command.
   * @throws KeywardError `user_inactive`, `mail_not_configured`, `not_invited`
   */
  invite(user: User): Promise<void>
  /**
   * A page of users; `Users.search` has the filter and the orders.
   * @throws KeywardError `validation_failed` for a `q` that no address and no username can begin with
   */
  listUsers(search: UserSearch): Promise<Page<User, UserMark>>
  /** A page of the audit log, the newest event first. */
  listAudit(filter: AuditFilter): Promise<Page<AuditRow>>
  /**
   * Finds a user by the id of a path.
   * @throws KeywardError `user_not_found`, also for a text that is no id
   */
  findUser(id: string): Promise<User>
  /**
   * Finds a user by username or address.
   * @throws KeywardError `user_not_found`
   */
  requireUser(typed: string): Promise<User>
  /**
   * Sets a new password; the former password is not needed. All sessions of the user end. All known devices and
   * networks are forgotten, and the rule `login.known_account` forgets the wrong passwords from these devices and
   * networks.
   * @throws KeywardError `validation_failed`, `overloaded`, `user_not_found` when the user was deleted
   */
  setPassword(user: User, password: string): Promise<void>
  /**
   * Deactivates a user, ends all sessions of the user, and forgets the known devices and networks. `activate` brings
   * none of these back. For an inactive user only the end of the deactivation changes, to no end when `end` has none.
   * Does nothing when nothing changes or the user was deleted.
   * @throws KeywardError `last_admin`, `validation_failed` for the reason or an end that has passed
   */
  deactivate(user: User, end?: Deactivation): Promise<void>
  /** Activates up to `limit` users whose deactivation has ended. A job calls it. @returns how many */
  activateDue(limit: number): Promise<number>
  /**
   * Changes a user for an administrator: the state, the username and the name. A deactivation does what `deactivate`
   * does. Nothing is written when nothing changes. The audit log has the names of the changed fields.
   * @throws KeywardError `validation_failed`, `username_taken`, `last_admin`, and the errors of `changeUser`
   */
  updateUser(actor: Actor, id: string, change: UserChange): Promise<User>
  /** Ends all sessions of a user for an administrator. @throws KeywardError the errors of `changeUser` */
  endSessionsOf(actor: Actor, id: string): Promise<void>
  /** Deletes a user for an administrator. @throws KeywardError `last_admin`, and the errors of `changeUser` */
  removeUser(actor: Actor, id: string): Promise<void>
  /**
   * Mails a link with which the user chooses a new password. The present password stays valid until then.
   * @throws KeywardError `mail_not_configured`, `user_inactive`, `invitation_pending`, and the errors of `changeUser`
   */
  mailReset(actor: Actor, id: string): Promise<void>
  /**
   * Grants a role for an administrator, who needs every permission of the role.
   * @throws KeywardError `role_not_found`, and the errors of `changeUser`
   */
  grantRole(actor: Actor, of: RoleOfUser): Promise<void>
  /**
   * Withdraws a role for an administrator.
   * @throws KeywardError `role_not_found`; `validation_failed` for the role `user`, which every user has;
   *   `last_admin`; and the errors of `changeUser`
   */
  withdrawRole(actor: Actor, of: RoleOfUser): Promise<void>
  /** Activates a user, who must then log in, because `deactivate` ended all sessions. */
  activate(user: User): Promise<void>
  /**
   * Ends all sessions of a user. A login whose credential was checked before this call cannot begin a session after it.
   * @returns how many sessions were alive
   */
  endSessions(user: User): Promise<number>
  /**
   * Ends the sessions of all users, for use after a restore. Sessions that begin during this call may go on. The
   * sessions end in several transactions. After a crash between them, a further call ends the rest.
   * @returns how many sessions ended
   */
  endAllSessions(): Promise<number>
  /**
   * Deletes the counts of the rate limits for a user and for both names of the user, such as wrong passwords. A running
   * server may refuse the user for 5 s more. The counts of whole networks and of single devices stay.
   */
  clearLimits(user: User): Promise<void>
  /**
   * Deletes a user and all personal data. `Accounts.deleteUser` has the details.
   * @throws KeywardError `last_admin`
   */
  deleteUser(user: User): Promise<void>
  /** Lets a new user have the username of a deleted user. @returns false when the username was not reserved */
  freeName(typed: string): Promise<boolean>
  /**
   * Replaces the data keys of MACs, for use after SECRET_KEY and a copy of the database have leaked. Every session
   * ends, and every device token, every link and code of a mail, and every sign-in that has begun is void. Running servers use the new data keys
   * within 30 s.
   *
   * With `apiKeys`, the data key of API keys is replaced too, and all API keys are revoked. Otherwise API keys stay
   * valid, which is safe: an API key has 192 random bits, which nobody can guess from its MAC. The data key of reserved
   * names stays, because a new MAC would need the name, which is not stored. Secrets of clients stay valid like API keys.
   *
   * The first of several transactions replaces the data keys. After a crash behind it, no refresh token, and with
   * `apiKeys` no API key, is accepted any more. Only sessions that have not ended keep their access tokens, until these
   * expire. A further call ends the rest.
   * @returns how many sessions ended, and how many API keys were revoked
   */
  renewSecrets(options: { apiKeys: boolean }): Promise<{ sessions: number; apiKeys: number }>
}

/** The purposes whose data keys `renewSecrets` always replaces. */
const renewed: readonly Purpose[] = [
  'refresh_token',
  'browser_session',
  'device_token',
  'limit_name',
  'mail_token',
  'mail_code',
  'authorization_code',
  'device_code',
  'page_request',
  'mfa_token',
  'passkey_challenge',
  'trusted_device',
]

export function createAdministration(needs: AdministrationNeeds): Administration {
  const { store: db, audit, secrets, limits, apiKeys, users, passwords, sessions, accounts, mails } = needs
  return {
    ...roleAdministration(needs),
    ...operatorRoles(needs),
    ...apiKeyAdministration(needs),
    ...clientAdministration(needs),
    ...signingKeyAdministration(needs),
    ...mailAdministration(needs),
    ...factorAdministration(needs),
    ...providerAdministration(needs),

    createUser: (account) => createUser(needs, account),
    addUser: (actor, added) => addUser(needs, actor, added),
    inviteAgain: (actor, id) => inviteAgain(needs, actor, id),
    async invite({ id, isActive }) {
      if (!isActive) throw new KeywardError('user_inactive')
      if (!needs.invitations.isOn) throw new KeywardError('mail_not_configured')
      await db.transaction(() => needs.invitations.sendAgain(id, {}))
    },
    listUsers: (search) => listUsers(needs, search),
    listAudit: (filter) => listAudit(needs, filter),
    findUser: (id) => findUser(needs, id),

    async requireUser(typed) {
      const user = await users.findByName(typed)
      if (!user) throw new KeywardError('user_not_found')
      return user
    },

    async setPassword(user, password) {
      const weakness = passwords.weaknessOf(password, user)
      if (weakness) throw invalidField('password', weakness)
      const { id } = user
      const { hash, scheme } = await passwords.hash(password)
      await db.transaction(async () => {
        if (!(await users.setPassword({ id, hash, scheme }))) throw new KeywardError('user_not_found')
        await sessions.endAll({ userId: id, reason: 'password_set_by_admin' })
        await sessions.forgetKnown({ userId: id })
        await limits.refill(knownAccount(id))
        await audit.record({ event: 'password.set_by_admin', userId: id })
        await mails.notify('password_changed', id, {})
      })
    },

    deactivate: (user, end) => deactivate(needs, user, end),
    activateDue: (limit) => activateDue(needs, limit),
    activate: (user) => activate(needs, user),
    endSessions: (user) => endSessions(needs, user),
    endAllSessions: () => endAllSessions(needs),
    updateUser: (actor, id, change) => updateUser(needs, actor, id, change),
    endSessionsOf: (actor, id) => endSessionsOf(needs, actor, id),
    removeUser: (actor, id) => removeUser(needs, actor, id),
    mailReset: (actor, id) => mailReset(needs, actor, id),
    grantRole: (actor, of) => grantRole(needs, actor, of),
    withdrawRole: (actor, of) => withdrawRole(needs, actor, of),

    async clearLimits(user) {
      // The event is recorded first: several transactions delete the counts, and a crash among them must not lose the
      // event.
      await audit.record({ event: 'limits.cleared', userId: user.id })
      await limits.clearUser(user.id, Object.values(nameKeysOf(user)))
    },

    deleteUser: (user) => accounts.deleteUser(user),

    freeName: (typed) =>
      db.transaction(async () => {
        const freed = await users.freeName(typed)
        if (freed) await audit.record({ event: 'username.freed' })
        return freed
      }),

    async renewSecrets({ apiKeys: alsoApiKeys }) {
      await secrets.renew(alsoApiKeys ? [...renewed, 'api_key'] : renewed)
      const revoked = alsoApiKeys ? await apiKeys.revokeAll() : 0
      const ended = await inBatches((limit) => sessions.endSome(limit, 'secrets_renewed'))
      return { sessions: ended, apiKeys: revoked }
    },
  }
}
