import { countFormerKeys } from '../features/api-keys/api-keys.ts'
import { type FormerValues, inspectFormerKeys } from '../features/secrets/secrets.ts'
import { countFormerDeviceUsers, countFormerSessions } from '../features/sessions/sessions.ts'
import type { Clock } from '../lib/clock.ts'
import type { Store } from '../storage/store.ts'
import { timeText } from './table.ts'

/** What is still accepted with a MAC of a former data key. */
export interface FormerMacs {
  sessions: FormerValues
  /** An upper bound: device tokens are not stored. */
  deviceUsers: FormerValues
  apiKeys: FormerValues
}

const NONE: FormerValues = { count: 0, until: null }

/**
 * Counts what is accepted only because a former data key is stored. Former data keys are encrypted with SECRET_KEY, as
 * all others, so nothing of this needs SECRET_KEY_PREVIOUS once every stored key is encrypted with SECRET_KEY. The
 * other purposes have no values of long life: a limit counts anew, and a name of a deleted user and the links of mails
 * never had a former data key.
 */
export async function formerMacs(needs: { store: Store; clock: Clock }): Promise<FormerMacs> {
  const since = await inspectFormerKeys(needs)
  const [refresh, device, apiKey] = ['refresh_token', 'device_token', 'api_key'].map((purpose) => since.get(purpose))
  return {
    sessions: refresh === undefined ? NONE : await countFormerSessions(needs, refresh),
    deviceUsers: device === undefined ? NONE : await countFormerDeviceUsers(needs, device),
    apiKeys: apiKey === undefined ? NONE : await countFormerKeys(needs, apiKey),
  }
}

/** Formats such as `3, the last until 2026-01-01 00:00:00Z`. */
export const describeFormer = ({ count, until }: FormerValues): string =>
  count === 0 ? '0' : `${count}, ${until === null ? 'without an end' : `the last until ${timeText(until)}`}`
