import type { EpochMs } from '../../lib/clock.ts'
import { DAY, SECOND } from '../../lib/clock.ts'
import { type Locale, localeOr } from '../../lib/locale.ts'
import type { Log } from '../../lib/log.ts'
import { randomId } from '../../lib/random.ts'
import type { Audit } from '../audit/audit.ts'
import { nameKeysOf, type User } from '../users/users.ts'
import { type AskedMail, type AskNeeds, ask, type Preparation } from './ask.ts'
import { createDelivery, type Delivery } from './deliver.ts'
import { hasProof, type MailKind, type MailValues, type ProofKind } from './kinds.ts'
import { linkOf } from './links.ts'
import { type ProofMailNeeds, withProof } from './proof.ts'
import { type Brand, type ProofValues, render, timeText } from './render.ts'
import * as store from './store.ts'
import { createTemplates } from './templates.ts'
import type { Outgoing, Transport } from './transport.ts'

export type { AskedMail } from './ask.ts'
export type { MailKind } from './kinds.ts'
export { createMailbox, type Mailbox } from './mailbox.ts'
export { createSmtp } from './smtp.ts'
export { TemplateError } from './templates.ts'
export { MailFailure } from './transport.ts'

export interface MailNeeds extends AskNeeds, ProofMailNeeds {
  log: Log
  audit: Audit
  /** Sends a mail to the mail server, or to the mailbox of `--dev`; undefined when there is neither. */
  transport: Transport | undefined
  brand: Brand
  settings: {
    /** After this number of failed attempts, Keyward gives a mail up: the mail has the state `dead`. */
    maxAttempts: number
    /** TEMPLATES_DIR: a folder with texts that replace the built-in texts. */
    templatesDir: string | undefined
  }
}

/**
 * A mail is `queued` until the mail server accepts it (`sent`), Keyward gives it up (`dead`), or Keyward finds out that
 * nobody gets it (`dropped`).
 */
export type MailState = 'queued' | 'sent' | 'dead' | 'dropped'

/** A row of the outbox that is not written yet. */
export interface NewMail {
  kind: MailKind
  /** An address as `normalizeEmail` returns it. */
  recipient: string
  locale: Locale
  userId: number | null
  values: Readonly<Record<string, string | undefined>>
}

/** A row of the outbox. */
export interface Mail {
  id: string
  kind: MailKind
  userId: number | null
  recipient: string
  locale: Locale
  /**
   * The values for the text of the mail, as JSON; `{}` after the mail was sent or dropped, because the values are
   * personal.
   */
  details: string
  state: MailState
  /** The number of attempts that have begun. */
  attempts: number
  /** When the next attempt may begin. While a process is sending the mail, the time when another process may try. */
  dueAt: EpochMs
  createdAt: EpochMs
  /** When the mail was sent, given up or dropped; null while the mail is queued. */
  endedAt: EpochMs | null
  error: string | null
  /** The token and the code, sealed. */
  sealed: string | null
  sealedUntil: EpochMs | null
}

/** A mail without its link, its code and the values of its text. */
export type ListedMail = Omit<Mail, 'sealed' | 'sealedUntil' | 'details'>

export interface MailFilter {
  /** Only mails in this state. */
  state?: MailState
  /** Only mails that are older than this one. For the next page, pass the last mail of this page. */
  before?: Pick<Mail, 'createdAt' | 'id'>
  limit: number
}

/**
 * The recipient of a mail with a link or code. Keyward finds the recipient at the first attempt to send the mail,
 * because the account may change while the mail is queued.
 */
export interface Recipient {
  userId: number | null
  /** The id of a pending registration. */
  subject?: string | null
  /**
   * The session epoch of the user, with which the link and code end; null when they do not end with a session epoch.
   */
  epoch: number | null
  /** The address to which the mail goes. The link or code of the mail proves this address. */
  address: string
  /** The latest time at which the link may expire; undefined when only the lifetime of the link limits it. */
  until?: EpochMs
  locale: Locale
  username: string | undefined
}

/**
 * The outbox. `notify` writes a mail as a row in the transaction of the change that the mail reports, so neither exists
 * without the other. Servers send the mails in the background. The mail server gets a mail again when Keyward did not
 * learn, or could not record, that an earlier attempt succeeded. All copies of a mail have the same `Message-ID`.
 */
export interface Mails {
  /** False without a mail server and without the mailbox of `--dev`. `notify` and `sendTest` then do nothing. */
  isOn: boolean
  /**
   * Queues a mail to a user in the user's language, in the current transaction. Does nothing when the user was deleted.
   * @param recipient where the mail goes; the user's address when it is not given
   */
  notify<K extends MailKind>(kind: K, userId: number, values: MailValues<K>, recipient?: string): Promise<void>
  /**
   * Queues a mail to an address that may have no account, in the current transaction.
   * @returns the id of the mail
   */
  notifyAddress(kind: 'first_admin', recipient: string): Promise<string>
  /** The link of a mail of this kind with this token, for another way than a mail. */
  linkOf(kind: 'first_admin', token: string): string | undefined
  /**
   * Queues a mail that somebody asks for, to an address that may have an account or not. `ask` looks for no user and
   * writes the same row for every address, so the answer does not tell whether an account exists. If no account may get
   * the mail, Keyward drops the mail at the first attempt to send it.
   * @param prepare see `Preparation`
   * @returns the id of the mail, which is the `challenge_id` of its code
   * @throws KeywardError `mail_not_configured`, `validation_failed` for the field `email`, `rate_limited`; the errors
   *   of `prepare`
   */
  ask(mail: AskedMail, prepare?: Preparation): Promise<string>
  /**
   * Sends the mail of kind `test` immediately, without a row in the outbox.
   * @throws MailFailure when the mail server does not accept the mail
   */
  sendTest(recipient: string, locale: Locale): Promise<void>
  /**
   * Begins to send the mails that are due. After the first call, this process also sends each mail that it queues as
   * soon as the transaction is committed.
   */
  deliver(): Promise<void>
  /** Resolves when this process is sending no mail. */
  settled(): Promise<void>
  find(id: string): Promise<Mail | undefined>
  /** Up to `limit` mails, the newest first; see `MailFilter`. */
  list(filter: MailFilter): Promise<ListedMail[]>
  /**
   * Queues a dead mail again, and records the audit event `mail.resent`. The attempts of the mail count from 0.
   * @param by the administrator who asks for it over HTTP
   * @returns `unknown` when there is no dead mail with this id, `expired` when its link or code can no longer be used
   */
  resend(id: string, by?: { actorId: number; ip: string }): Promise<'queued' | 'unknown' | 'expired'>
  /** The mails of a user, for an export: without tokens and codes. */
  exportOf(userId: number): Promise<object[]>
  /**
   * Deletes all mails to a user, and all mails without a user to the address of the user, in the current transaction.
   */
  forgetUser(user: User): Promise<void>
  stats(): MailStats
  /** Deletes up to `limit` mails that were sent, given up or dropped more than 14 days ago. @returns how many */
  cleanUp(limit: number): Promise<number>
  /**
   * Deletes the sealed links and codes of up to `limit` mails whose link has expired. @returns the number of these
   * mails
   */
  wipeExpired(limit: number): Promise<number>
  /** Waits up to 10 s for the mails that this process is sending, then closes the connections to the mail server. */
  close(): Promise<void>
}

/** Numbers for the metrics and `/readyz`. The totals count what this process did since its start. */
export interface MailStats {
  sentTotal: number
  /** Attempts that failed. */
  failedTotal: number
  /** Mails that were given up. */
  deadTotal: number
  /** Queued mails in the database, as the last `deliver` read this number. */
  queued: number
  /** Milliseconds since the oldest queued mail was created; 0 when no mail is queued. */
  oldestMs: number
  /** True when the last attempt of this process failed because of the mail server, not because of its own mail. */
  isFailing: boolean
}

/** How long the outbox has a mail after it was sent, given up or dropped, so that an operator can look the mail up. */
const KEEP = 14 * DAY
/** The longest wait of `close`. */
const CLOSE_PATIENCE = 10 * SECOND

/** @throws TemplateError when `folder`, a TEMPLATES_DIR, cannot be read, or a file in it has a wrong name or text */
export const checkTemplates = (folder: string | undefined): void => void createTemplates(folder)

/** @throws TemplateError when `templatesDir` cannot be read, or a file in it has a wrong name or text */
export function createMails(needs: MailNeeds): Mails {
  const { store: db, clock, random, audit, users, proofs, transport, brand, settings } = needs
  const texts = createTemplates(settings.templatesDir)
  const outgoing = (mail: Pick<Mail, 'id' | 'kind' | 'recipient' | 'locale' | 'details'>, proof?: ProofValues) => ({
    id: mail.id,
    to: mail.recipient,
    ...render(texts, brand, mail, proof),
  })
  async function compose(mail: Mail): Promise<Outgoing | undefined> {
    if (!isOfProof(mail)) return outgoing(mail)
    const made = await withProof(needs, mail)
    return typeof made === 'string' ? undefined : outgoing(made.mail, made.values)
  }
  const delivery: Delivery | undefined = transport && createDelivery({ ...needs, transport, compose })
  let isDelivering = false
  const pumpAfterCommit = () => {
    if (isDelivering) db.afterCommit(() => delivery?.pumpSoon())
  }
  return {
    isOn: transport !== undefined,
    async notify(kind, userId, values, to) {
      if (!delivery) return
      const user = await users.findContact(userId)
      if (!user) return
      const locale = localeOr(user.locale)
      const now = clock.now()
      const known = { username: user.username, time: timeText(now, locale), ...values }
      const recipient = to ?? user.email
      await store.insert(db, { id: randomId(random), now, kind, recipient, locale, userId, values: known })
      pumpAfterCommit()
    },
    async notifyAddress(kind, recipient) {
      const id = randomId(random)
      await store.insert(db, { id, now: clock.now(), kind, recipient, locale: 'en', userId: null, values: {} })
      pumpAfterCommit()
      return id
    },
    linkOf: (kind, token) => linkOf(needs.links, kind, token),
    ask: (mail, prepare) => ask({ ...needs, isOn: transport !== undefined, pumpAfterCommit }, mail, prepare),
    async sendTest(recipient, locale) {
      const details = JSON.stringify({ time: timeText(clock.now(), locale) })
      await transport?.send(outgoing({ id: randomId(random), kind: 'test', recipient, locale, details }))
    },
    async deliver() {
      isDelivering = true
      await delivery?.pump()
      await delivery?.measure()
    },
    settled: async () => delivery?.settled(),
    find: (id) => store.find(db, id),
    list: (filter) => store.list(db, filter),
    async resend(id, by) {
      const mail = await store.find(db, id)
      if (mail?.state !== 'dead') return 'unknown'
      if (isOfProof(mail) && !(mail.sealed !== null && (await proofs.isLive(id)))) return 'expired'
      return db.transaction(async () => {
        if (!(await store.resend(db, id, clock.now()))) return 'unknown'
        const details = { mail: id, kind: mail.kind }
        await audit.record({ event: 'mail.resent', userId: mail.userId ?? undefined, ...by, details })
        pumpAfterCommit()
        return 'queued'
      })
    },
    exportOf: (userId) => store.listOf(db, userId),
    forgetUser: (user) => store.deleteOfUser(db, { userId: user.id, addressKey: nameKeysOf(user).emailKey }),
    stats: () => delivery?.stats() ?? noStats,
    wipeExpired: (limit) => store.wipe(db, clock.now(), limit),
    cleanUp: (limit) => store.deleteEnded(db, clock.now() - KEEP, limit),
    async close() {
      isDelivering = false
      await Promise.race([delivery?.settled(), clock.sleep(CLOSE_PATIENCE)])
      delivery?.stop()
      await transport?.close()
    },
  }
}

const isOfProof = (mail: Mail): mail is Mail & { kind: ProofKind } => hasProof(mail.kind)

const noStats: MailStats = { sentTotal: 0, failedTotal: 0, deadTotal: 0, queued: 0, oldestMs: 0, isFailing: false }

/** How often every server looks for mails that are due, such as mails that other processes queued. */
export const MAIL_POLL_INTERVAL = 5 * SECOND
