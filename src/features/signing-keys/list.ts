import type { Deps } from '../../service.ts'
import type { SignatureAlgorithm } from './jwk.ts'
import { describeKey, type KeyState } from './signing-key.ts'
import * as store from './store.ts'

export interface KeySummary {
  kid: string
  alg: SignatureAlgorithm
  state: KeyState
  /** Since when and until when, for a person. */
  description: string
}

/** Every signing key in the order of its making, those that are long out for 30 days. */
export async function listKeys({
  config,
  store: db,
  clock,
}: Pick<Deps, 'config' | 'store' | 'clock'>): Promise<KeySummary[]> {
  const at = { now: clock.now(), rotationDays: config.KEY_ROTATION_DAYS }
  return (await store.all(db)).map((row) => ({
    kid: row.kid,
    alg: row.alg,
    state: row.state,
    description: describeKey(row, at),
  }))
}
