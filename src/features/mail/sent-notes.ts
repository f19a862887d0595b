import { type Clock, shortPause } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Mail } from './mail.ts'
import * as store from './store.ts'

/**
 * The time, in milliseconds, in which accepted mails are collected, so that one statement notes them all. With SQLite
 * each write waits for the disk in the thread that also answers requests.
 */
const COLLECT = 20

/**
 * @returns a function that records that the mail server accepted a mail, and resolves when that is committed. It rejects
 *   with the error of the database.
 */
export function createSentNotes({ store: db, clock }: { store: Store; clock: Clock }): (mail: Mail) => Promise<void> {
  const accepted: string[] = []
  let noting: Promise<void> | undefined

  async function note(): Promise<void> {
    await shortPause(COLLECT)
    noting = undefined
    await store.markSent(db, accepted.splice(0), clock.now())
  }

  return ({ id }) => {
    accepted.push(id)
    noting ??= note()
    return noting
  }
}
