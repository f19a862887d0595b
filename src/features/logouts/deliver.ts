import { MINUTE, shortPause } from '../../lib/clock.ts'
import { errorFields } from '../../lib/log.ts'
import { OutgoingError } from '../../lib/outgoing-fetch.ts'
import { end } from './give-up.ts'
import type { Delivery, LogoutStats, LogoutsNeeds } from './logouts.ts'
import { LONGEST, PAUSES } from './schedule.ts'
import * as store from './store.ts'

/** The most logouts that one process sends at the same time. */
const AT_ONCE = 32
/** The most of them to one client, so that a client that hangs does not hold up the logouts of others. */
const AT_ONCE_TO_CLIENT = 4
/** A claimed logout is due again after this time. An attempt takes at most 5 s. */
const LEASE = MINUTE
/**
 * The least time between the beginnings of two attempts, in milliseconds. A signature with RS256 takes some 1 ms of the
 * thread that also answers requests, so that many logouts at once would delay the answers.
 */
const PACE = 4

/** Sends the queued logouts. */
export function createDelivery(needs: LogoutsNeeds) {
  const { store: db, clock, log } = needs
  const sending = new Set<Promise<void>>()
  const sendingTo = new Map<string, number>()
  const totals = { deliveredTotal: 0, failedTotal: 0, givenUpTotal: 0 }
  let queued = 0
  let isStopped = false
  let mayBeMore = false
  let taking: Promise<void> | undefined
  let turn = 0
  let paced = Promise.resolve()

  function pump(): Promise<void> {
    mayBeMore = true
    taking ??= take().finally(() => {
      taking = undefined
    })
    return taking
  }

  async function take(): Promise<void> {
    try {
      while (mayBeMore && !isStopped && sending.size < AT_ONCE) {
        mayBeMore = false
        const due = await store.clientsDue(db, clock.now())
        // Another client is the first each time, so that each gets its turn when many are due.
        const first = due.length === 0 ? 0 : turn++ % due.length
        for (const clientId of [...due.slice(first), ...due.slice(0, first)]) await takeOf(clientId)
      }
    } catch (error) {
      mayBeMore = false
      log.warn('logouts_not_taken', errorFields(error))
    }
  }

  async function takeOf(clientId: string): Promise<void> {
    const limit = Math.min(AT_ONCE_TO_CLIENT - (sendingTo.get(clientId) ?? 0), AT_ONCE - sending.size)
    if (limit <= 0 || isStopped) return
    const now = clock.now()
    const claimed = await store.claim(db, { clientId, now, until: now + LEASE, limit })
    for (const delivery of claimed) start(delivery)
  }

  function start(delivery: Delivery): void {
    const { clientId } = delivery
    sendingTo.set(clientId, (sendingTo.get(clientId) ?? 0) + 1)
    const attempt = attemptOf(delivery)
      .catch((error) => log.warn('logout_not_noted', { client: clientId, ...errorFields(error) }))
      .finally(() => {
        sending.delete(attempt)
        const left = sendingTo.get(clientId)! - 1
        if (left > 0) sendingTo.set(clientId, left)
        else sendingTo.delete(clientId)
        // A place is free, and there may be more for it.
        if (!isStopped) void pump()
      })
    sending.add(attempt)
  }

  async function attemptOf(delivery: Delivery): Promise<void> {
    const { clientId, attempts } = delivery
    const mine = paced
    paced = paced.then(() => shortPause(PACE))
    await mine
    const reason = await send(delivery)
    if (reason === undefined) {
      if (!(await end(needs, delivery, 'logout.delivered'))) return
      totals.deliveredTotal++
      return log.debug('logout_delivered', { client: clientId, attempts })
    }
    totals.failedTotal++
    const pause = PAUSES[attempts - 1]
    const nextAt = clock.now() + (pause ?? 0)
    if (pause !== undefined && nextAt <= delivery.createdAt + LONGEST) {
      await store.postpone(db, delivery, { nextAt, error: reason })
      return log.warn('logout_postponed', { client: clientId, attempts, reason })
    }
    if (!(await end(needs, delivery, 'logout.failed'))) return
    totals.givenUpTotal++
    log.error('logout_given_up', { client: clientId, attempts, reason })
  }

  /** @returns why the client did not take the logout token; undefined when it did */
  async function send({ clientId, userId, sessionId }: Delivery): Promise<string | undefined> {
    try {
      const client = await needs.clients.find(clientId)
      if (!client?.backchannelLogoutUri) return 'the client has no address for logouts'
      const alg = client.idTokenAlg
      const token = await needs.tokens.mintLogoutToken({ alg, clientId, userId, sessionId })
      const { status } = await needs.outgoing.fetch(client.backchannelLogoutUri, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
      })
      return status === 200 || status === 204 ? undefined : `status ${status}`
    } catch (error) {
      if (error instanceof OutgoingError) return `${error.fault}: ${error.message}`
      log.error('logout_not_made', { client: clientId, ...errorFields(error) })
      return 'Keyward could not make this logout; the log has the error'
    }
  }

  return {
    /**
     * Claims logouts that are due and begins to send them. Resolves when no more can be claimed for now, and not when
     * they are sent. An error of the database is only logged.
     */
    pump,
    stop() {
      isStopped = true
    },
    async settled(): Promise<void> {
      while (taking || sending.size > 0) await Promise.all([taking, ...sending])
    },
    async measure(): Promise<void> {
      queued = await store.length(db)
    },
    stats: (): LogoutStats => ({ ...totals, queued }),
  }
}
