import { KeywardError } from '../../errors.ts'
import type { PublicKeyAlgorithm } from './jwk.ts'
import type { Keyring } from './keyring.ts'
import type { KeyDeps } from './prepare.ts'
import { newKey, requireSecrets } from './sealed-key.ts'
import type { SigningKeyRow } from './signing-key.ts'
import * as store from './store.ts'
import { addKey, changeKeys, tell, turnOver, won } from './turn-over.ts'

export interface Revocation {
  kid: string
  /** It was revoked before; nothing was written. */
  already: boolean
  /** The key that signs instead, if the revoked one did. */
  active: string | undefined
}

/**
 * Ends all use of a key: every token it signed is refused, here at once and in other processes within 30 s, and it is
 * gone from the JWKS. If it is the one that signs, the next one does from the same transaction on, or a fresh one.
 * Refresh tokens go on: whoever has one gets an access token of the new key.
 * @param deps.keyring the running server's, which follows at once; a command has none
 * @throws KeywardError `key_not_found`, `key_not_rotatable` for a JWT_SECRET that signs, `keys_changed`
 * @throws KeyringError when SECRET_KEY does not open the stored keys
 */
export async function revokeKey(
  deps: KeyDeps & { keyring?: Pick<Keyring, 'reload'> },
  { kid }: { kid: string },
): Promise<Revocation> {
  const { config, store: db, clock } = deps
  const rows = await store.all(db)
  requireSecrets(config, rows)
  const row = rows.find((one) => one.kid === kid)
  if (!row) throw new KeywardError('key_not_found')
  if (row.state === 'revoked') return { kid, already: true, active: undefined }
  if (row.alg === 'HS256' && row.state === 'active') throw new KeywardError('key_not_rotatable')

  const successors = makeSuccessors(deps, row, rows)
  const done = await changeKeys(db, async () => {
    won(await store.revoke(db, { kid, from: row.state, now: clock.now() }))
    await tell(deps, 'key.revoked', row)
    const others = rows.filter((one) => one !== row)
    if (successors.active) await turnOver(db, { rows: others, to: successors.active, clock })
    if (successors.next) won(await addKey(deps, successors.next))
    return true
  })
  if (!done) throw new KeywardError('keys_changed')
  await deps.keyring?.reload()
  return { kid, already: false, active: successors.active?.kid }
}

/** What takes the place of a key that goes: for the one that signs, the one that waits or a fresh one, and a next. */
function makeSuccessors(
  deps: KeyDeps,
  row: SigningKeyRow,
  rows: readonly SigningKeyRow[],
): { active?: SigningKeyRow; next?: SigningKeyRow } {
  const { JWT_ALG } = deps.config
  const alg = (JWT_ALG === 'HS256' ? row.alg : JWT_ALG) as PublicKeyAlgorithm
  if (row.state === 'retired') return {}
  if (row.state === 'next') return { next: newKey(deps, row.alg as PublicKeyAlgorithm, 'next') }
  const waiting = rows.find(({ nextSlot }) => nextSlot === alg)
  return { active: waiting ?? newKey(deps, alg, 'active'), next: newKey(deps, alg, 'next') }
}
