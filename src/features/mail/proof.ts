import type { Clock, EpochMs } from '../../lib/clock.ts'
import { MINUTE } from '../../lib/clock.ts'
import { localeOr } from '../../lib/locale.ts'
import type { Store } from '../../storage/store.ts'
import {
  CODE_LIFETIME,
  PRIVILEGED_INVITATION,
  type ProofPurpose,
  type ProofSecret,
  type Proofs,
  tokenLifetimes,
} from '../proofs/proofs.ts'
import type { Roles } from '../roles/roles.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { nameKeysOf, type User, type Users } from '../users/users.ts'
import { mailProofs, type ProofKind } from './kinds.ts'
import { type LinkSettings, linkOf } from './links.ts'
import type { Mail, Recipient } from './mail.ts'
import { type ProofValues, timeText } from './render.ts'
import * as store from './store.ts'
import { MailFailure } from './transport.ts'

export interface ProofMailNeeds {
  store: Store
  clock: Clock
  users: Pick<Users, 'find' | 'findByName' | 'findContact' | 'findAddressOwner' | 'extendReservation'>
  roles: Pick<Roles, 'permissionsOf'>
  proofs: Pick<Proofs, 'make' | 'issue' | 'issueDecoy' | 'isLive'>
  secrets: Pick<Secrets, 'seal' | 'unseal'>
  links: LinkSettings
  /** Finds the recipient of a mail that goes to no user, for example to a person whose registration is not finished. */
  findPending?: (mail: Mail) => Promise<Recipient | undefined>
}

/** The content of the column `mails.sealed`: the token and the code of a mail, and when the token expires. */
interface Sealed extends ProofSecret {
  expiresAt: EpochMs
}

/**
 * Gives a mail its link and its code. The first attempt finds the recipient, makes and seals the token and the code,
 * and stores the seal and the proof in one transaction. A later attempt opens the seal, so it sends the same link and
 * code.
 * @returns the mail with its recipient, and the values of its link and code; `values` is missing for an `address_taken`
 *   mail. `dropped` when nobody is to get the mail; `taken` when another process has begun a later attempt
 * @throws MailFailure when the link can no longer be used, or when the account changed during the call
 */
export async function withProof(
  needs: ProofMailNeeds,
  mail: Mail & { kind: ProofKind },
): Promise<{ mail: Mail; values?: ProofValues } | 'dropped' | 'taken'> {
  const made =
    mail.sealed === null && mail.sealedUntil === null
      ? await begin(needs, mail)
      : { mail, values: valuesOf(needs, mail, await open(needs, mail)) }
  return typeof made !== 'string' && mail.kind === 'confirm_address' ? toOwnerIfTaken(needs, made) : made
}

/**
 * Returns `made`, the mail to the new address that a user wants. If another user has this address, or it is reserved
 * for another user, returns an `address_taken` mail to that user instead. The stored rows are the same, so nobody
 * learns whether the address is taken.
 */
async function toOwnerIfTaken(
  { users, clock }: ProofMailNeeds,
  made: { mail: Mail; values?: ProofValues },
): Promise<{ mail: Mail; values?: ProofValues }> {
  const { mail } = made
  const owner = await users.findAddressOwner(mail.recipient.toLowerCase())
  if (!owner || owner.user.id === mail.userId) return made
  const { user, email } = owner
  const locale = user.locale ? localeOr(user.locale) : mail.locale
  const details = JSON.stringify({ username: user.username, time: timeText(clock.now(), locale) })
  return { mail: { ...mail, kind: 'address_taken', recipient: email, locale, details } }
}

async function begin(needs: ProofMailNeeds, mail: Mail & { kind: ProofKind }) {
  const { store: db, clock, proofs } = needs
  const { purpose } = mailProofs[mail.kind]
  const recipient = await findRecipient(needs, mail, purpose)
  if (recipient === 'has_account') return tellHolder(needs, mail, purpose)
  if (!recipient) {
    const isDropped = await db.transaction(async () => {
      if (!(await store.drop(db, mail, clock.now()))) return false
      await proofs.issueDecoy({ id: mail.id, purpose, addressKey: mail.recipient.toLowerCase() })
      return true
    })
    return isDropped ? 'dropped' : 'taken'
  }
  const { userId, subject = null, epoch, address, until = Infinity, locale, username } = recipient
  const secret = proofs.make(purpose)
  const sealedUntil = Math.min(until, clock.now() + tokenLifetimes[purpose])
  const content: Sealed = { ...secret, expiresAt: sealedUntil }
  const details = JSON.stringify({ ...JSON.parse(mail.details), username })
  // Sealing reads the database, so it is done before the transaction.
  const sealed = await needs.secrets.seal(contextOf(mail), Buffer.from(JSON.stringify(content)))
  const made = { ...mail, userId, recipient: address, locale, details, sealed, sealedUntil }
  const isOurs = await db.transaction(
    async () => {
      if (!(await store.keepSealed(db, made))) return false
      const proof = { id: mail.id, purpose, userId, subject, addressKey: address.toLowerCase(), epoch }
      if ((await proofs.issue(proof, secret, sealedUntil)) === undefined) throw changedMeanwhile()
      // The link restores the former address. Therefore the reservation of this address must not end before the link
      // expires, even if the mail is made late.
      if (userId !== null && purpose === 'undo_email')
        await needs.users.extendReservation({ id: userId, emailKey: proof.addressKey, until: sealedUntil })
      return true
    },
    userId === null ? {} : { userId },
  )
  return isOurs ? { mail: made, values: valuesOf(needs, made, content) } : 'taken'
}

/**
 * Finds the recipient of a mail.
 * @returns `has_account` for the mail of a registration whose address has an account; undefined when nobody is to get
 *   the mail
 */
async function findRecipient(
  needs: ProofMailNeeds,
  mail: Mail,
  purpose: ProofPurpose,
): Promise<Recipient | 'has_account' | undefined> {
  if (mail.kind === 'first_admin') return needs.findPending?.(mail)
  if (mail.kind === 'link_identity' && !(await needs.users.findByName(mail.recipient))) return strangerOf(mail)
  const pending = mail.kind === 'verify_email' && mail.userId === null ? await needs.findPending?.(mail) : undefined
  if (!pending) return findUser(needs, mail, purpose)
  if (!(await needs.users.findByName(mail.recipient))) return pending
  return pending.subject === mail.id ? 'has_account' : findUser(needs, mail, purpose)
}

/** The reader of an address that has no account: the code of the mail proves the address and nothing else. */
const strangerOf = ({ id, recipient, locale }: Mail): Recipient => ({
  userId: null,
  subject: id,
  epoch: null,
  address: recipient,
  locale,
  username: undefined,
})

/**
 * Changes the mail of a registration to an `address_taken` mail, because a user has the address. The new mail has no
 * link. A code for the registration is checked as for every other address, and is always wrong.
 */
async function tellHolder(needs: ProofMailNeeds, mail: Mail & { kind: ProofKind }, purpose: ProofPurpose) {
  const { store: db, users, proofs } = needs
  const holder = await users.findByName(mail.recipient)
  if (!holder) throw changedMeanwhile()
  const locale = holder.locale === null ? mail.locale : localeOr(holder.locale)
  const details = JSON.stringify({ username: holder.username, time: timeText(mail.createdAt, locale) })
  const kind = 'address_taken'
  const made: Mail = { ...mail, kind, userId: holder.id, recipient: holder.email, locale, details }
  const isOurs = await db.transaction(async () => {
    if (!(await store.keepSealed(db, made))) return false
    await proofs.issueDecoy({ id: mail.id, purpose, addressKey: nameKeysOf(holder).emailKey })
    return true
  })
  return isOurs ? { mail: made } : 'taken'
}

/** Finds the user of a mail; undefined when there is no such user, or when the user must not get this mail now. */
async function findUser(
  { users, roles, clock }: ProofMailNeeds,
  { userId, recipient, locale, kind, details, createdAt }: Mail,
  purpose: ProofPurpose,
): Promise<Recipient | undefined> {
  const user = await (userId === null ? users.findByName(recipient) : users.find(userId))
  if (!user || !suits(user, purpose, recipient)) return undefined
  // An invitation that a newer one has replaced while it was queued must not void the newer one.
  if (purpose === 'invitation' && createdAt < user.invitedAt!) return undefined
  const isShort = purpose === 'invitation' && (await roles.permissionsOf(user)).size > 0
  // A user who ends all sessions gets a new session epoch. The changes of address that these sessions began must end
  // too.
  const { epoch } = JSON.parse(details) as { epoch?: string }
  if (kind === 'confirm_address' && epoch !== undefined && epoch !== String(user.sessionEpoch)) return undefined
  const contact = await users.findContact(user.id)
  return {
    userId: user.id,
    epoch: purpose === 'undo_email' ? null : user.sessionEpoch,
    // A mail that was asked for goes to the stored spelling of the address, not to the one that was typed.
    address: kind === 'confirm_address' || kind === 'address_changed' ? recipient : user.email,
    locale: contact?.locale ? localeOr(contact.locale) : locale,
    username: user.username,
    ...(isShort && { until: clock.now() + PRIVILEGED_INVITATION }),
  }
}

function suits(user: User, purpose: ProofPurpose, recipient: string): boolean {
  if (purpose === 'undo_email') return true
  if (!user.isActive) return false
  // The invitation is the only way into the account of an invited user.
  if ((purpose === 'invitation') !== (user.invitedAt !== null)) return false
  if (purpose === 'change_email') return true
  if (nameKeysOf(user).emailKey !== recipient.toLowerCase()) return false
  return purpose !== 'verify_email' || user.emailVerifiedAt === null
}

async function open({ clock, proofs, secrets }: ProofMailNeeds, mail: Mail): Promise<Sealed> {
  const opened = mail.sealed === null ? undefined : secrets.unseal(contextOf(mail), mail.sealed)
  if (mail.sealed === null || (mail.sealedUntil ?? 0) <= clock.now()) throw final('its link had expired')
  if (!opened) throw final('its link was sealed with another SECRET_KEY')
  if (!(await proofs.isLive(mail.id))) throw final('its link was used, or a newer mail has replaced it')
  return JSON.parse(Buffer.from(opened).toString()) as Sealed
}

function valuesOf({ clock, links }: ProofMailNeeds, mail: Mail & { kind: ProofKind }, secret: Sealed): ProofValues {
  const { token, code, expiresAt } = secret
  const { purpose } = mailProofs[mail.kind]
  // The lifetime of an invitation depends on the rights of the user when it was made.
  const lifetime = purpose === 'invitation' ? expiresAt - clock.now() : tokenLifetimes[purpose]
  return {
    link: linkOf(links, mail.kind, token),
    code,
    minutes: String(Math.ceil(lifetime / MINUTE)),
    code_minutes: String(CODE_LIFETIME / MINUTE),
    until: timeText(expiresAt, mail.locale),
  }
}

/** The context of a seal: a seal that was copied from another row or column cannot be opened. */
const contextOf = ({ id }: Pick<Mail, 'id'>): string => `mails.sealed:${id}`

const final = (reason: string) => new MailFailure(reason, { isFinal: true, isOfServer: false })
const changedMeanwhile = () => new MailFailure('the account changed meanwhile', { isFinal: false, isOfServer: false })
