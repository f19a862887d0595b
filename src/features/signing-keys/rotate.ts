import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { addKey, changeKeys, replaceActive, won } from './change-keys.ts'
import type { PublicKeyAlgorithm } from './jwk.ts'
import type { Keyring } from './keyring.ts'
import { ensureKeys } from './prepare.ts'
import { newKey, readKeys } from './sealed-key.ts'
import { activeOf, idTokenSlot, lastTokenExpires, nextOf, readyAt, type Slot } from './signing-key.ts'
import type { SigningKeysNeeds } from './signing-keys.ts'
import * as store from './store.ts'

export interface Rotation {
  /** The `kid` of the new active key. */
  active: string
  /** The `kid` of the new next key. */
  next: string
  /** The former active key, whose tokens are accepted until `until`; undefined when no key was active. */
  retired: { kid: string; until: number } | undefined
}

/** @param options.idTokens the algorithm of the ID tokens whose key is rotated; undefined for that of access tokens */
export async function rotateKeys(
  needs: SigningKeysNeeds,
  keyring: Keyring,
  { early = false, idTokens }: { early?: boolean; idTokens?: PublicKeyAlgorithm } = {},
): Promise<Rotation> {
  const { settings, store: db, clock } = needs
  const alg = idTokens ?? settings.alg
  if (alg === 'HS256') throw new KeywardError('key_not_rotatable')
  const slot: Slot = idTokens === undefined ? 'active' : idTokenSlot(idTokens)
  let rows = await readKeys(needs)
  if (await ensureKeys(needs, rows)) rows = await store.all(db)
  const to = nextOf(rows, slot, alg)
  if (!to) throw new KeywardError(idTokens === undefined ? 'keys_changed' : 'key_not_found')
  if (!early && clock.now() < readyAt(to))
    throw new KeywardError('key_not_ready', {
      sentence: `Services may have cached the key set without the next key until ${rfc3339(readyAt(to))}: rotate then`,
    })
  const fresh = await newKey(needs, { alg, state: 'next', slot })
  const done = await changeKeys(needs, async () => {
    await replaceActive(needs, rows, { to, slot })
    won(await addKey(needs, fresh))
  })
  if (!done) throw new KeywardError('keys_changed')
  await keyring.reload()
  const former = activeOf(rows, slot)
  return {
    active: to.kid,
    next: fresh.kid,
    retired: former && { kid: former.kid, until: lastTokenExpires(former, clock.now()) },
  }
}
