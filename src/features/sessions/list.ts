import { writeAside } from '../../storage/write-aside.ts'
import { deviceName } from './device-name.ts'
import * as store from './own.store.ts'
import type { SessionSummary } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'

/** The most missing device names that one call of `listOwn` stores, so that the transaction is short. */
const NAMED_AT_ONCE = 100

export async function listOwn(
  needs: SessionsNeeds,
  { userId }: Pick<SessionCaller, 'userId'>,
): Promise<SessionSummary[]> {
  const { store: db, clock, log } = needs
  const sessions = await store.listLive(db, { userId, now: clock.now() })
  // Sessions that began in a version before 0.3.0 have no device name.
  const unnamed = sessions.filter((session) => session.deviceName === null).slice(0, NAMED_AT_ONCE)
  for (const session of unnamed) session.deviceName = deviceName(session.userAgent)
  if (unnamed.length > 0) writeAside(log, () => storeNames(needs, userId, unnamed))
  return sessions
}

const storeNames = (
  { store: db }: SessionsNeeds,
  userId: number,
  sessions: readonly Pick<SessionSummary, 'id' | 'deviceName'>[],
): Promise<void> =>
  db.transaction(
    async () => {
      for (const { id, deviceName: name } of sessions) await store.nameDevice(db, { id, name: name ?? '' })
    },
    { userId },
  )
