import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { PublicKeyAlgorithm } from './jwk.ts'
import type { Keyring } from './keyring.ts'
import { ensureKeys, type KeyDeps } from './prepare.ts'
import { newKey, requireSecrets } from './sealed-key.ts'
import { lastTokenOut, readyAt } from './signing-key.ts'
import * as store from './store.ts'
import { addKey, changeKeys, turnOver, won } from './turn-over.ts'

export interface Rotation {
  /** Signs from now on. */
  active: string
  /** Published now, to follow it. */
  next: string
  /** Signed until now; its tokens are good until then. */
  retired: { kid: string; until: number } | undefined
}

/**
 * Lets the published `next` key sign and publishes another. The former key stays in the JWKS until its last token is
 * out. Other processes follow within 30 s, and at once for a token that names the new key.
 * @param input.early takes the next key also when copies of the JWKS without it are still about
 * @param deps.keyring the running server's, which follows at once; a command has none
 * @throws KeywardError `key_not_ready`, `key_not_rotatable`, `keys_changed` when another process was quicker
 * @throws KeyringError when SECRET_KEY does not open the stored keys
 */
export async function rotateKeys(
  deps: KeyDeps & { keyring?: Pick<Keyring, 'reload'> },
  { early = false }: { early?: boolean } = {},
): Promise<Rotation> {
  const { config, store: db, clock } = deps
  if (config.JWT_ALG === 'HS256') throw new KeywardError('key_not_rotatable')
  const alg: PublicKeyAlgorithm = config.JWT_ALG
  let rows = await store.all(db)
  requireSecrets(config, rows)
  if (await ensureKeys(deps, rows)) rows = await store.all(db)
  const to = rows.find(({ nextSlot }) => nextSlot === alg)
  if (!to) throw new KeywardError('keys_changed')
  if (!early && clock.now() < readyAt(to))
    throw new KeywardError('key_not_ready', {
      sentence: `The next key was published ${rfc3339(to.createdAt)}, and services may keep a copy of the key set without it until ${rfc3339(readyAt(to))}: rotate then`,
    })
  const fresh = newKey(deps, alg, 'next')
  const done = await changeKeys(db, async () => {
    await turnOver(db, { rows, to, clock })
    won(await addKey(deps, fresh))
    return true
  })
  if (!done) throw new KeywardError('keys_changed')
  await deps.keyring?.reload()
  const former = rows.find(({ state }) => state === 'active')
  return {
    active: to.kid,
    next: fresh.kid,
    retired: former && { kid: former.kid, until: lastTokenOut(former, clock.now()) },
  }
}
