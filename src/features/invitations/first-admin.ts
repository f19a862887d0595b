import { type Clock, type EpochMs, MINUTE, rfc3339 } from '../../lib/clock.ts'
import { randomId } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Mail, Recipient } from '../mail/mail.ts'
import { PRIVILEGED_INVITATION, type Proof } from '../proofs/proofs.ts'
import { hasAdmin } from '../roles/roles.ts'
import { normalizeEmail } from '../users/users.ts'
import { keepFile, removeDrafts, removeFile } from './admin-file.ts'
import * as store from './first-admin.store.ts'
import type { InvitationsNeeds } from './invitations.ts'

/** The link with which the owner of ADMIN_EMAIL becomes the first administrator. */
export interface FirstAdminLink {
  /** The id of the mail, or of the file; the `subject` of the proof. */
  subject: string
  email: string
  emailKey: string
  /** The token for the file, sealed; null when the link is mailed. */
  sealed: string | null
  createdAt: EpochMs
  expiresAt: EpochMs
}

/** What ADMIN_EMAIL does at present. */
export interface FirstAdminState {
  hasAdmin: boolean
  /** The unused link for this address, if there is one. It is void while there is an administrator. */
  link: Pick<FirstAdminLink, 'sealed' | 'expiresAt'> | undefined
}

/**
 * Finds the recipient of the mail with the link: undefined when the link was replaced, used or has expired.
 * @param otherwise finds the recipients of mails of other kinds
 */
export const findingFirstAdmin =
  ({ store: db, clock }: { store: Store; clock: Clock }, otherwise: FindRecipient): FindRecipient =>
  async (mail) => {
    if (mail.kind !== 'first_admin') return otherwise(mail)
    const link = await store.find(db)
    if (link?.subject !== mail.id || link.expiresAt <= clock.now()) return undefined
    const { email: address, expiresAt: until, subject } = link
    return { userId: null, subject, epoch: null, address, until, locale: mail.locale, username: undefined }
  }

type FindRecipient = (mail: Mail) => Promise<Recipient | undefined>

/** @returns undefined when the proof is not that of the present link, or there is an administrator meanwhile */
export async function findLink(
  { store: db, clock, roles }: InvitationsNeeds,
  { subject, addressKey }: Proof,
): Promise<FirstAdminLink | undefined> {
  const link = await store.find(db)
  if (link?.subject !== subject || link.emailKey !== addressKey || link.expiresAt <= clock.now()) return undefined
  return (await roles.hasAdmin()) ? undefined : link
}

export const removeLink = ({ store: db }: InvitationsNeeds): Promise<boolean> => store.remove(db)

/** Implements `Invitations.prepareFirstAdmin`. */
export async function prepareFirstAdmin(needs: InvitationsNeeds): Promise<void> {
  const { store: db, log, mails, settings } = needs
  const { adminEmail, file } = settings
  const address = adminEmail === undefined ? undefined : normalizeEmail(adminEmail)
  if (!address || (!mails.isOn && file === undefined)) {
    if (adminEmail !== undefined)
      log.warn('first_admin_not_invited', {
        reason: address ? 'there is no mail server' : 'ADMIN_EMAIL has no account',
      })
    await store.remove(db)
  } else await makeLink(needs, address)
  await tidyFirstAdmin(needs)
}

/** Makes a link, unless there is an administrator, or the present link is still valid for this address. */
async function makeLink(needs: InvitationsNeeds, address: { email: string; emailKey: string }): Promise<void> {
  const { store: db, clock, random, log, audit, roles, proofs, mails, secrets } = needs
  const { email, emailKey } = address
  const createdAt = clock.now()
  const expiresAt = createdAt + PRIVILEGED_INVITATION
  const secret = mails.isOn ? undefined : proofs.make('invitation')
  const ofFile = randomId(random)
  // Sealing reads the database, so it is done before the transaction.
  const sealed = secret ? await secrets.seal(contextOf(ofFile), Buffer.from(secret.token)) : null
  const isMade = await db.transaction(async () => {
    // Other servers that start at the same moment wait here, and then find this link.
    await roles.lock()
    if (await roles.hasAdmin()) {
      await store.remove(db)
      return false
    }
    const present = await store.find(db)
    if (present?.emailKey === emailKey && present.expiresAt > createdAt && isReadable(needs, present)) return false
    const subject = secret ? ofFile : await mails.notifyAddress('first_admin', email)
    const proof = {
      id: subject,
      purpose: 'invitation',
      userId: null,
      subject,
      addressKey: emailKey,
      epoch: null,
    } as const
    if (secret) await proofs.issue(proof, secret, expiresAt)
    await store.replace(db, { subject, email, emailKey, sealed, createdAt, expiresAt })
    await audit.record({ event: 'first_admin.invited', details: { by: secret ? 'file' : 'mail' } })
    return true
  })
  if (isMade) log.info('first_admin_invited', { by: secret ? 'file' : 'mail', until: rfc3339(expiresAt) })
}

/** See `inspectFirstAdmin` of `invitations.ts`. */
export async function readFirstAdmin(
  { store: db, clock }: Pick<InvitationsNeeds, 'store' | 'clock'>,
  adminEmail: string,
): Promise<FirstAdminState> {
  const link = await store.find(db)
  const isGood = link && link.emailKey === normalizeEmail(adminEmail)?.emailKey && link.expiresAt > clock.now()
  return { hasAdmin: await hasAdmin({ store: db }), link: isGood ? link : undefined }
}

/** True when the link reaches its reader in the way that the settings say. */
const isReadable = ({ mails, secrets }: InvitationsNeeds, { sealed, subject }: FirstAdminLink): boolean =>
  sealed === null ? mails.isOn : !mails.isOn && secrets.unseal(contextOf(subject), sealed) !== undefined

/** Implements `Invitations.tidyFirstAdmin`. */
export async function tidyFirstAdmin(needs: InvitationsNeeds): Promise<void> {
  const { store: db, clock, log, roles, mails, secrets, settings } = needs
  if (settings.file === undefined) return
  const link = await store.find(db)
  const isValid = link?.sealed && link.expiresAt > clock.now() && !(await roles.hasAdmin())
  const token = isValid ? secrets.unseal(contextOf(link.subject), link.sealed!) : undefined
  try {
    // A start takes seconds at most. So the draft of a process that runs is younger.
    removeDrafts(settings.file, clock.now() - MINUTE)
    if (!link || !token) return removeFile(settings.file)
    const text = textOf(mails.linkOf('first_admin', Buffer.from(token).toString()) ?? '', link)
    if (keepFile(settings.file, text, randomId(needs.random))) log.info('first_admin_file', { path: settings.file })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    log.error('first_admin_file_not_written', { path: settings.file, reason: code ?? 'unknown' })
  }
}

const textOf = (link: string, { email, expiresAt }: FirstAdminLink): string => `${FIRST_LINE}

Open this link, which works once, until ${rfc3339(expiresAt)}, and only while there is no administrator.
Its reader becomes the first administrator, with the address ${email}:

${link}

Without the page, send its token with a username and a password to POST /invitation/accept.
`

/** The first line of the file. A file with another first line is not Keyward's. */
export const FIRST_LINE = 'Keyward: become the first administrator'

/** The context of a seal: a seal that was copied from another row cannot be opened. */
const contextOf = (subject: string): string => `first_admin_links.sealed:${subject}`
