import { type Clock, shortPause } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Mail } from './mail.ts'
import * as store from './store.ts'

/**
 * How long accepted mails are collected, in milliseconds, so that one statement records several mails. With SQLite,
 * each write makes the thread that also answers requests wait for the disk.
 */
const COLLECT = 20

/**
 * Makes a function that records that the mail server accepted a mail. The promise of the function resolves when the
 * record is committed, and rejects with the error of the database.
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
