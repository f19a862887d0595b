import type { Clock } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { Audit } from '../audit/audit.ts'
import type { Factors } from '../factors/factors.ts'
import type { Mails } from '../mail/mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { Roles } from '../roles/roles.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import { accept, findInvited } from './accept.ts'
import { type FirstAdminState, prepareFirstAdmin, readFirstAdmin, tidyFirstAdmin } from './first-admin.ts'
import { send, sendAgain } from './send.ts'

export { type FirstAdminState, findingFirstAdmin } from './first-admin.ts'

export interface InvitationsNeeds {
  store: Store
  clock: Clock
  audit: Audit
  users: Users
  passwords: Passwords
  roles: Roles
  apiKeys: Pick<ApiKeys, 'revokeOf'>
  identities: { removeOf(userId: number): Promise<void> }
  factors: Pick<Factors, 'removeOf'>
  proofs: Proofs
  mails: Pick<Mails, 'isOn' | 'notify' | 'notifyAddress' | 'linkOf'>
  random: Random
  log: Log
  secrets: Pick<Secrets, 'seal' | 'unseal'>
  sessions: Pick<Sessions, 'endAll' | 'forgetKnown'>
  settings: {
    /** ADMIN_EMAIL. */
    adminEmail: string | undefined
    /** The path of `first-admin.txt`; undefined without an SQLite file. */
    file: string | undefined
  }
}

/** The administrator who invites; undefined members for a command. */
export interface InvitedBy {
  actorId?: number
  ip?: string
}

/** The account of an invitation, for the page that accepts it. */
export interface Invited {
  email: string
  /** The present username; empty for the first administrator without an account. */
  username: string
  /** True when the reader may choose another username. */
  mayRename: boolean
  isFirstAdmin: boolean
}

/** What the reader of an invitation sends. */
export interface Accepted {
  token: string
  /** Another username than the one that the administrator chose. */
  username?: string | null
  password: string
  /** The language of the request, for a user without a language. */
  locale?: Locale
  /** The client's network, for the hash gate. */
  client: string
  ip: string
}

/**
 * Invitations: an administrator makes an account without a password, and its owner chooses the password with the link
 * of a mail. Until then the invitation is the only way into the account. It is valid for 72 hours, and for 24 hours if
 * the account has any permission. It is valid only while its inviter may still invite this account, so that the
 * invitations of a thief end with the thief's rights.
 */
export interface Invitations {
  /** False without a mail server: nobody can then be invited. */
  isOn: boolean
  /** Queues the first invitation to a user, in the transaction that creates the user. */
  send(userId: number, by: InvitedBy): Promise<void>
  /**
   * Queues another invitation to a user who has not accepted the last one, which is void from now on. Runs in the
   * current transaction.
   * @throws KeywardError `not_invited`
   */
  sendAgain(userId: number, by: InvitedBy): Promise<void>
  /**
   * Finds the account whose invitation has this token. The invitation is not used up, because some mail programs open
   * every link of a mail.
   * @returns undefined when the link is unknown, used, expired or void
   */
  find(token: string): Promise<Invited | undefined>
  /**
   * Accepts an invitation: stores the password, and the username if one is given. The mail proves the address. API keys
   * that were made for the account before are revoked. Nobody is logged in. Roles stay as they are at this moment.
   * With the link of the first administrator, it makes the account an administrator; `acceptFirstAdmin` has the details.
   * @throws KeywardError `invalid_or_expired`; `validation_failed`, `username_taken`, `overloaded` (the invitation stays
   *   valid); `email_taken` when the address of the first administrator is reserved for another user
   */
  accept(accepted: Accepted): Promise<User>
  /**
   * Makes the link with which the owner of ADMIN_EMAIL becomes the first administrator, at the start of a server. It is
   * mailed, or without a mail server written to `first-admin.txt` beside the SQLite file. It works once, for 24 hours,
   * and only while there is no administrator. A start makes no other link while one is valid for this address. Of
   * several servers that start at once, one makes it. Without ADMIN_EMAIL, a former link is void.
   */
  prepareFirstAdmin(): Promise<void>
  /** Removes `first-admin.txt` when its link is used, void or expired, and writes it again when it is missing. */
  tidyFirstAdmin(): Promise<void>
}

/** Finds out what ADMIN_EMAIL does at present. Writes nothing. */
export const inspectFirstAdmin = (
  needs: Pick<InvitationsNeeds, 'store' | 'clock'>,
  adminEmail: string,
): Promise<FirstAdminState> => readFirstAdmin(needs, adminEmail)

export const createInvitations = (needs: InvitationsNeeds): Invitations => ({
  isOn: needs.mails.isOn,
  send: (userId, by) => send(needs, userId, by),
  sendAgain: (userId, by) => sendAgain(needs, userId, by),
  find: (token) => findInvited(needs, token),
  accept: (accepted) => accept(needs, accepted),
  prepareFirstAdmin: () => prepareFirstAdmin(needs),
  tidyFirstAdmin: () => tidyFirstAdmin(needs),
})
