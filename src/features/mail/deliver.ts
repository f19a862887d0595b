import { type EpochMs, HOUR, MINUTE, SECOND, shortPause } from '../../lib/clock.ts'
import { errorFields } from '../../lib/log.ts'
import { createTimeLimit } from '../../lib/time-limit.ts'
import type { Mail, MailNeeds, MailStats } from './mail.ts'
import { createPace } from './pace.ts'
import * as store from './store.ts'
import { MailFailure, type Outgoing, type Transport } from './transport.ts'

interface DeliveryNeeds extends MailNeeds {
  transport: Transport
  /** Makes the mail for the mail server; undefined when this process must not send the mail. */
  compose: (mail: Mail) => Promise<Outgoing | undefined>
}

/** Sends the mails of the outbox. */
export interface Delivery {
  /**
   * Claims mails that are due and begins to send them, in as many rounds as are needed. Resolves when no more mails can
   * be claimed for now, and not when the mails are sent. An error of the database is only logged.
   */
  pump(): Promise<void>
  /**
   * Calls `pump` after a short pause. The work for a mail depends on whether an account has the address, so it must not
   * delay the answer to the request that asked for the mail: its time would tell.
   */
  pumpSoon(): void
  /** Resolves when this process is sending no mail. */
  settled(): Promise<void>
  /** Stops the timer that ends attempts after `ATTEMPT_LIMIT`. */
  stop(): void
  /** Reads how many mails are queued, and when the oldest queued mail was created. `stats` shows the last result. */
  measure(): Promise<void>
  stats(): MailStats
}

/** The most mails that one process sends at the same time. */
const AT_ONCE = 16
/**
 * The shortest and the longest pause of `pumpSoon`, in milliseconds. An answer is written within one. The pause is
 * random, because a constant one would delay always the same of several requests in a row.
 */
const SOON = [20, 60] as const
/**
 * The pause after the first failed attempt of a mail. Each further failure doubles the pause, up to `LONGEST_PAUSE`.
 */
const FIRST_PAUSE = 30 * SECOND
const LONGEST_PAUSE = 6 * HOUR
/**
 * An attempt counts as failed after this time. The time is less than `LEASE`, so no other process claims the mail
 * during the attempt.
 */
const ATTEMPT_LIMIT = 3 * MINUTE
/** A claimed mail is due again after this time, in case the process that claimed the mail has crashed. */
const LEASE = 5 * MINUTE

export function createDelivery(needs: DeliveryNeeds): Delivery {
  const { store: db, clock, log, transport, compose } = needs
  const sending = new Set<Promise<void>>()
  const totals = { sentTotal: 0, failedTotal: 0, deadTotal: 0, isFailing: false }
  let queue: { length: number; oldest: EpochMs | null } = { length: 0, oldest: null }
  const limit = createTimeLimit(clock, ATTEMPT_LIMIT)
  const pace = createPace()
  let taking: Promise<void> | undefined
  let soon: Promise<void> | undefined
  let mayBeMore = false

  function pump(): Promise<void> {
    mayBeMore = true
    taking ??= take().finally(() => {
      taking = undefined
      pumpIfMore()
    })
    return taking
  }

  function pumpSoon(): void {
    const [shortest, longest] = SOON
    soon ??= shortPause(shortest + needs.random.fraction() * (longest - shortest)).then(() => {
      soon = undefined
      return pump()
    })
  }

  /** Claims more mails when at most half of `AT_ONCE` are being sent, so that one statement claims several mails. */
  function pumpIfMore(): void {
    if (mayBeMore && sending.size <= AT_ONCE / 2) void pump()
  }

  async function take(): Promise<void> {
    try {
      while (mayBeMore && sending.size <= AT_ONCE / 2) {
        const limit = AT_ONCE - sending.size
        const now = clock.now()
        mayBeMore = false
        const mails = await store.claim(db, { now, until: now + LEASE, limit })
        if (mails.length === limit) mayBeMore = true
        for (const mail of mails) start(mail)
      }
    } catch (error) {
      mayBeMore = false
      log.warn('mails_not_taken', errorFields(error))
    }
  }

  function start(mail: Mail): void {
    const attempt = send(mail)
      .catch((error) => log.warn('mail_not_noted', { mail: mail.id, ...errorFields(error) }))
      .finally(() => {
        sending.delete(attempt)
        pumpIfMore()
      })
    sending.add(attempt)
  }

  async function send(mail: Mail): Promise<void> {
    await pace()
    try {
      const outgoing = await compose(mail)
      if (!outgoing) return
      const attempt = new AbortController()
      await limit.watch(transport.send(outgoing, attempt.signal), () => {
        attempt.abort()
        return tookTooLong()
      })
    } catch (error) {
      return noteFailure(mail, error)
    }
    totals.sentTotal++
    totals.isFailing = false
    await store.markSent(db, mail, clock.now())
    log.debug('mail_sent', { mail: mail.id, kind: mail.kind, attempts: mail.attempts })
  }

  async function noteFailure(mail: Mail, error: unknown): Promise<void> {
    totals.failedTotal++
    const isKnown = error instanceof MailFailure
    if (!isKnown) log.error('mail_not_made', { mail: mail.id, kind: mail.kind, ...errorFields(error) })
    totals.isFailing = isKnown && error.facts.isOfServer
    const reason = isKnown ? error.message : 'Keyward could not make this mail; the log has the error'
    const facts = { mail: mail.id, kind: mail.kind, attempts: mail.attempts, reason }
    if ((isKnown && error.facts.isFinal) || mail.attempts >= needs.settings.maxAttempts) {
      totals.deadTotal++
      await store.giveUp(db, mail, { now: clock.now(), error: reason })
      log.error('mail_given_up', facts)
    } else {
      await store.postpone(db, mail, { dueAt: clock.now() + pauseAfter(mail.attempts), error: reason })
      log.warn('mail_postponed', facts)
    }
  }

  /** A random time from 75 % to 125 % of the pause, so that mails that failed together are not tried again together. */
  function pauseAfter(attempts: number): number {
    const pause = Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    return Math.round(pause * (0.75 + needs.random.fraction() / 2))
  }

  return {
    pump,
    pumpSoon,
    stop: limit.stop,
    async settled() {
      while (soon || taking || sending.size > 0) await Promise.all([soon, taking, ...sending])
    },
    async measure() {
      queue = await store.queueOf(db)
    },
    stats: () => ({
      ...totals,
      queued: queue.length,
      oldestMs: queue.oldest === null ? 0 : Math.max(0, clock.now() - queue.oldest),
    }),
  }
}

const tookTooLong = () => new MailFailure('the mail server took too long', { isFinal: false, isOfServer: true })
