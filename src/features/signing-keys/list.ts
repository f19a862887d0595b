import type { SignatureAlgorithm } from './jwk.ts'
import { describeKey, type KeyState } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

export interface KeySummary {
  kid: string
  alg: SignatureAlgorithm
  state: KeyState
  /** The times of its states, as a sentence. */
  description: string
}

export async function listKeys({ store: db, clock, settings }: SigningKeysNeeds): Promise<KeySummary[]> {
  const at = { now: clock.now(), rotationDays: settings.rotationDays }
  return (await store.all(db)).map((row) => ({
    kid: row.kid,
    alg: row.alg,
    state: row.state,
    description: describeKey(row, at),
  }))
}
