import type { User } from '../users/users.ts'
import { addPasskey, beginPasskey, type CheckedPasskey, checkPasskey, type PendingPasskey } from './add-passkey.ts'
import type { FactorChanger } from './change.ts'
import type { Factor } from './factor.ts'
import type { FactorProof, FactorsNeeds } from './factors.ts'
import { deleteExpiredNonces } from './passkeys.store.ts'
import { countForeignKeys } from './policy.store.ts'
import { askForPasskey, type OpenedPasskey, openPasskey, provePasskey } from './use-passkey.ts'
import type { CredentialKind, RequestOptionsJson } from './webauthn/options.ts'
import { createSealedChallenges } from './webauthn/sealed-challenge.ts'

/** Passkeys and security keys (WebAuthn Level 3): their registration, and the sign-in with a passkey alone. */
export interface Passkeys {
  /** The origins that may use passkeys; undefined with `PASSKEYS=off`. */
  passkeyOrigins: readonly string[] | undefined
  /**
   * Begins the registration of a passkey or security key in a session. Another one that waits in the session is void.
   * @throws KeywardError `not_found` with `PASSKEYS=off`; `too_many_factors`
   */
  beginPasskey(of: {
    user: User
    by: FactorChanger & { sessionId: string }
    kind: CredentialKind
  }): Promise<PendingPasskey>
  /**
   * Uses up the challenge of a registration, and checks the answer of the browser, a RegistrationResponseJSON. Call it
   * outside a transaction.
   * @throws KeywardError `webauthn_failed`; `synced_passkey` when such a one is not allowed; `not_found` with
   *   `PASSKEYS=off`
   */
  checkPasskey(of: {
    by: FactorChanger & { sessionId: string }
    challengeId: string
    response: unknown
  }): Promise<CheckedPasskey>
  /**
   * Stores a credential that was checked, in the transaction of the change, in which the user's row is locked. The owner
   * gets a mail.
   * @param of.name undefined for the name of the program or device that made it
   * @returns with the first factor of the user also ten recovery codes, which nothing shows again; and the
   *   authentication methods that the registration has shown
   * @throws KeywardError `credential_exists`, also when it belongs to another user; `too_many_factors`
   */
  addPasskey(of: { by: FactorChanger; checked: CheckedPasskey; name?: string }): Promise<{
    factor: Factor
    recoveryCodes: string[] | undefined
    amr: readonly string[]
  }>
  /**
   * Makes the request options of a sign-in with a passkey alone (PublicKeyCredentialRequestOptionsJSON). They name no
   * user. Nothing is stored: the challenge carries its expiry and a MAC.
   * @throws KeywardError `not_found` with `PASSKEYS=off`
   */
  askForPasskey(): { options: RequestOptionsJson; expiresIn: number }
  /**
   * Reads the answer of the browser, an AuthenticationResponseJSON, and uses up its challenge. The answer is not proved
   * yet: read the user, then call `provePasskey`.
   * @throws KeywardError `invalid_passkey`; `unknown_passkey` when no account has the credential; `not_found` with
   *   `PASSKEYS=off`
   */
  openPasskey(from: { response: unknown; ip: string }): Promise<OpenedPasskey>
  /**
   * Proves an opened answer, and records the use of the passkey. A passkey with user verification shows both factors. A
   * security key is refused here. When the counter shows that a key that cannot be copied was copied, the owner gets a
   * mail.
   * @throws KeywardError `invalid_passkey`, `unknown_passkey`
   */
  provePasskey(opened: OpenedPasskey & { ip: string }): Promise<FactorProof>
  /**
   * Counts the passkeys and security keys that were made for another RP ID, which no browser can use, and the users who
   * have no other factor.
   */
  countForeignKeys(): Promise<{ keys: number; stranded: number }>
  /** Deletes up to `limit` nonces of challenges that have expired. @returns how many */
  cleanUpNonces(limit: number): Promise<number>
}

export function passkeys(needs: FactorsNeeds): Passkeys {
  const { store: db, clock, random, secrets, settings } = needs
  const challenges = createSealedChallenges({ macKeys: () => secrets.macKeys('passkey_challenge'), random })
  return {
    passkeyOrigins: settings.hasPasskeys ? settings.origins : undefined,
    beginPasskey: (of) => beginPasskey(needs, of),
    checkPasskey: (of) => checkPasskey(needs, of),
    addPasskey: (of) => addPasskey(needs, of),
    askForPasskey: () => askForPasskey(needs, challenges),
    openPasskey: (from) => openPasskey(needs, challenges, from),
    provePasskey: (opened) => provePasskey(needs, opened),
    countForeignKeys: () => countForeignKeys(db, settings.rpId),
    cleanUpNonces: (limit) => deleteExpiredNonces(db, { now: clock.now(), limit }),
  }
}
