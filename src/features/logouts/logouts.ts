import { type Clock, type EpochMs, SECOND } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Outgoing } from '../../lib/outgoing-fetch.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Clients } from '../clients/clients.ts'
import type { AccessTokens } from '../tokens/tokens.ts'
import type { Users } from '../users/users.ts'
import { createDelivery } from './deliver.ts'
import { giveUpOld } from './give-up.ts'
import * as store from './store.ts'

export interface LogoutsNeeds {
  store: Store
  clock: Clock
  log: Log
  audit: Audit
  users: Pick<Users, 'find'>
  clients: Pick<Clients, 'find'>
  tokens: Pick<AccessTokens, 'mintLogoutToken'>
  outgoing: Outgoing
  /** False for a command: a running server then sends what the command has queued. */
  delivers: boolean
}

/** A session of a client that has ended. */
export interface EndedSession {
  sessionId: string
  userId: number
  clientId: string
}

/** A logout that a client has still to be told of. */
export interface Delivery extends EndedSession {
  id: number
  attempts: number
  createdAt: EpochMs
}

export interface LogoutStats {
  deliveredTotal: number
  failedTotal: number
  givenUpTotal: number
  /** How many logouts wait in the database, as the last `deliver` found. */
  queued: number
}

/** Tells clients that sessions of theirs have ended (OpenID Connect Back-Channel Logout 1.0). */
export interface Logouts {
  /**
   * Queues a logout for each session whose client has a `backchannelLogoutUri`. Call this function in the transaction
   * that ends the sessions. The delivery begins after the commit, and nobody waits for it.
   */
  queue(ended: readonly EndedSession[]): Promise<void>
  /**
   * Begins to send the logouts that are due, as many at the same time as is allowed, and reads the length of the queue.
   * Each attempt makes a new logout token. A client that does not answer 200 or 204 within 5 s gets it again after 1, 5
   * and 30 minutes, 2 and 12 hours; then the logout is given up. Each is sent by one process. Every server calls
   * `deliver` every `LOGOUT_POLL_INTERVAL`.
   */
  deliver(): Promise<void>
  /** Resolves when this process is sending no logout. */
  settled(): Promise<void>
  stats(): LogoutStats
  /**
   * Gives up to `limit` logouts up that are older than 15 hours, and deletes those whose client does not want them any
   * more. @returns how many
   */
  cleanUp(limit: number): Promise<number>
  /** Begins no more attempts, and waits for those that run, at most 6 s. */
  close(): Promise<void>
}

/** How often every server looks for logouts that are due, such as those that commands queued. */
export const LOGOUT_POLL_INTERVAL = 10 * SECOND

/** The longest wait of `close`: an attempt takes at most 5 s. */
const CLOSE_PATIENCE = 6 * SECOND

export function createLogouts(needs: LogoutsNeeds): Logouts {
  const { store: db, clock } = needs
  const delivery = createDelivery(needs)
  let isOpen = needs.delivers
  return {
    async queue(ended) {
      const queued = await store.insert(db, ended, clock.now())
      if (queued > 0 && isOpen) db.afterCommit(() => void delivery.pump())
    },
    async deliver() {
      if (!isOpen) return
      await delivery.pump()
      await delivery.measure()
    },
    settled: delivery.settled,
    stats: delivery.stats,
    cleanUp: (limit) => giveUpOld(needs, limit),
    async close() {
      isOpen = false
      delivery.stop()
      await Promise.race([delivery.settled(), clock.sleep(CLOSE_PATIENCE)])
    },
  }
}
