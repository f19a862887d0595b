import { shortPause } from '../../lib/clock.ts'

/**
 * The least time between the beginnings of two mails of one process, in milliseconds. A mail takes some 1 ms of CPU
 * time in the thread that also answers requests. Without pauses, a long queue of mails after an outage of the mail
 * server would use all CPU time of this thread, and requests would wait: 99 % of the reads beside such a queue took at
 * most 8 ms with these pauses and 12 ms without them (SQLite).
 */
const PAUSE = 2

/** @returns a function whose promises resolve one after the other, `PAUSE` apart */
export function createPace(): () => Promise<void> {
  let last = Promise.resolve()
  return () => {
    const turn = last
    last = turn.then(() => shortPause(PAUSE))
    return turn
  }
}
