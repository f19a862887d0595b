import { accountWrite } from '../limits/limits.ts'
import type { KeyChanger, KeySummary, PublicKeyAlgorithm, Revocation, Rotation } from '../signing-keys/signing-keys.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, requireRight } from './change-user.ts'

const permission = 'keys:write'

/** What administrators do to the keys that sign tokens. */
export interface SigningKeyAdministration {
  /** All stored signing keys, oldest first. */
  listSigningKeys(): Promise<KeySummary[]>
  /**
   * Rotates the signing key.
   * @param options see `SigningKeys.rotate`
   * @throws KeywardError the errors of `SigningKeys.rotate`, and those of `makeChange`
   */
  rotateSigningKey(
    actor: Actor,
    options: { early: boolean; idTokens: PublicKeyAlgorithm | undefined },
  ): Promise<Rotation>
  /**
   * Revokes a signing key. Nothing is written when the key is revoked already.
   * @throws KeywardError the errors of `SigningKeys.revoke`, and those of `makeChange`
   */
  revokeSigningKey(actor: Actor, kid: string): Promise<Revocation>
}

export function signingKeyAdministration(needs: AdministrationNeeds): SigningKeyAdministration {
  const { signingKeys } = needs
  return {
    listSigningKeys: () => signingKeys.list(),
    rotateSigningKey: (actor, options) => changeKeys(needs, actor, (by) => signingKeys.rotate({ ...options, by })),
    revokeSigningKey: (actor, kid) => changeKeys(needs, actor, (by) => signingKeys.revoke(kid, { by })),
  }
}

/**
 * Does what `makeChange` does, for a change that makes keys and therefore cannot run whole in one transaction: `change`
 * calls `by.allow` in the transaction that writes.
 */
async function changeKeys<Done extends Rotation | Revocation>(
  needs: AdministrationNeeds,
  actor: Actor,
  change: (by: KeyChanger) => Promise<Done>,
): Promise<Done> {
  const { accounts, limits, roles } = needs
  const { caller, client, ip } = actor
  await accounts.requireFresh(caller, { client, ip })
  await requireRight(needs, caller, permission)
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  const allow = async () => {
    await roles.lock()
    await requireRight(needs, caller, permission)
  }
  const done = await change({ ...byOf(actor), allow })
  const hasChanged = !('already' in done && done.already)
  if (hasChanged) place.keep()
  return done
}
