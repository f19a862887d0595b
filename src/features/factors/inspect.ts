import { unseal } from '../../lib/seal.ts'
import type { Store } from '../../storage/store.ts'
import type { RootSecrets } from '../secrets/secrets.ts'
import { sealsAfter } from './totp.store.ts'
import { totpContext } from './use-totp.ts'

/** The authenticator apps of all users, as an inspection finds them. */
export interface TotpSeals {
  /** How many there are, also those that wait for their first code. */
  total: number
  /** The ids of the users whose app cannot be used, because no secret opens its seal. */
  unreadable: readonly number[]
}

const BATCH = 1_000

/** Finds out which secrets of authenticator apps these root secrets open. Writes nothing, and looks at every one. */
export async function inspectTotp({ store: db, secrets }: { store: Store; secrets: RootSecrets }): Promise<TotpSeals> {
  const unreadable = new Set<number>()
  let total = 0
  for (let after = 0; ; ) {
    const rows = await sealsAfter(db, { after, limit: BATCH })
    total += rows.length
    for (const { id, userId, secret } of rows)
      if (unseal(secrets, totpContext(id), secret) === undefined) unreadable.add(userId)
    if (rows.length < BATCH) return { total, unreadable: [...unreadable] }
    after = rows.at(-1)!.id
  }
}
