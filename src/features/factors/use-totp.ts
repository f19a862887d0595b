import { unopenable } from '../secrets/secrets.ts'
import { factorId } from './factor.ts'
import type { FactorsNeeds } from './factors.ts'
import * as store from './totp.store.ts'
import { matchingStep, stepAt, WINDOW } from './totp.ts'

/** A last used step this far ahead of the clock means that the clock was set back. */
const AHEAD = 2

/** Binds a sealed secret to its row. A seal that is copied to another row cannot be opened. */
export const totpContext = (id: number): string => `totp_factors.secret:${id}`

/**
 * Checks a code of one of the user's authenticator apps, and uses its step up, so that neither this code nor an earlier
 * one is accepted again. Of concurrent calls with one code, only one succeeds. Call it in the transaction of what the
 * code allows; a wrong code writes nothing.
 * @param code six digits; any other text is a wrong code
 * @returns undefined for a wrong or used code
 * @throws KeyringError when no secret of this process opens the seal
 */
export async function useTotp(
  needs: FactorsNeeds,
  { userId, code }: { userId: number; code: string },
): Promise<{ factorId: string } | undefined> {
  const { store: db, clock, log } = needs
  const now = clock.now()
  for (const { id, secret, lastStep } of await store.confirmedOf(db, userId)) {
    const step = matchingStep(openTotp(needs, { id, secret }), code, now)
    if (lastStep !== null && lastStep > stepAt(now) + AHEAD)
      log.warn('clock_behind_factor', { user_id: userId, factor: factorId({ table: 'totp', id }) })
    if (step !== undefined && (await store.useStep(db, { id, step, now })))
      return { factorId: factorId({ table: 'totp', id }) }
  }
  return undefined
}

/**
 * Uses up every code that could have been accepted until now, of all users. After a restore from a backup, a code that
 * was used since the backup would otherwise work again while it is accepted.
 */
export const useUpCodes = ({ store: db, clock }: Pick<FactorsNeeds, 'store' | 'clock'>): Promise<unknown> =>
  store.useStepOfAll(db, stepAt(clock.now()) + WINDOW)

/** @throws KeyringError when no secret of this process opens the seal */
export function openTotp({ secrets }: FactorsNeeds, { id, secret }: { id: number; secret: string }): Uint8Array {
  const opened = secrets.unseal(totpContext(id), secret)
  if (!opened) throw unopenable()
  return opened
}

const BATCH = 500

/** Replaces the seals of secrets by seals of SECRET_KEY, where `Secrets.reseal` allows it. */
export async function renewTotpSeals({ store: db, secrets }: FactorsNeeds): Promise<void> {
  for (const prefix of secrets.formerSealPrefixes)
    for (let after = 0; ; ) {
      const rows = await store.sealsWith(db, { prefix, after, limit: BATCH })
      for (const { id, secret: from } of rows) {
        const to = await secrets.reseal(totpContext(id), from)
        if (to !== undefined) await store.replaceSeal(db, { id, from, to })
      }
      if (rows.length < BATCH) break
      after = rows.at(-1)!.id
    }
}
