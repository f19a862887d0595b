import { KeywardError } from '../../errors.ts'
import { type EpochMs, MINUTE } from '../../lib/clock.ts'
import { toBase32 } from '../../lib/encoding.ts'
import type { User } from '../users/users.ts'
import { type FactorChanger, followAdded, listOf, requireRoom } from './change.ts'
import { type Factor, factorId, readFactorId } from './factor.ts'
import type { FactorsNeeds } from './factors.ts'
import * as store from './totp.store.ts'
import { matchingStep, newSecret, totpUri } from './totp.ts'
import { openTotp, totpContext } from './use-totp.ts'

/** How long an authenticator app may wait for its first code. */
export const PENDING_TOTP = 10 * MINUTE

/** An authenticator app that waits for its first code. Its secret is not shown again. */
export interface PendingTotp {
  id: string
  /** In base32, without padding. */
  secret: string
  /** What the QR code contains. */
  uri: string
  expiresAt: EpochMs
}

/** See `FactorChanges.beginTotp`. */
export async function beginTotp(
  needs: FactorsNeeds,
  { user, by, name }: { user: User; by: FactorChanger; name: string },
): Promise<PendingTotp> {
  const { store: db, clock, random, audit, users, secrets, settings } = needs
  const { id: userId } = user
  const secret = newSecret(random)
  // Choosing the secret of the seal reads the database, so it is done before the transaction.
  const seal = await secrets.sealer()
  const now = clock.now()
  const id = await db.transaction(
    async () => {
      if (!(await users.hold(userId))) throw new KeywardError('invalid_token')
      await requireRoom(needs, userId)
      await store.removePending(db, userId)
      const row = await store.insertPending(db, { userId, name, createdAt: now })
      await store.setSecret(db, { id: row, secret: seal(totpContext(row), secret) })
      const added = factorId({ table: 'totp', id: row })
      await audit.record({ event: 'factor.enrolled', ...by, details: { factor: added, type: 'totp' } })
      return added
    },
    { userId },
  )
  const uri = totpUri({ secret, issuer: settings.app, account: user.email })
  return { id, secret: toBase32(secret), uri, expiresAt: now + PENDING_TOTP }
}

/** See `FactorChanges.confirmTotp`. */
export async function confirmTotp(
  needs: FactorsNeeds,
  { by, id, code }: { by: FactorChanger; id: string; code: string },
): Promise<{ factor: Factor; recoveryCodes: string[] | undefined }> {
  const { store: db, clock } = needs
  const { userId } = by
  const now = clock.now()
  const key = readFactorId(id)
  if (key?.table !== 'totp') throw new KeywardError('factor_not_found')
  const pending = { id: key.id, userId, since: now - PENDING_TOTP }
  const found = await store.findPending(db, pending)
  if (!found) throw new KeywardError('factor_not_found')
  const step = matchingStep(openTotp(needs, { id: key.id, secret: found.secret }), code, now)
  if (step === undefined) throw new KeywardError('invalid_code')
  await requireRoom(needs, userId)
  if (!(await store.confirm(db, { ...pending, step, now }))) throw new KeywardError('factor_not_found')
  const recoveryCodes = await followAdded(needs, { by, id, type: 'totp', name: found.name })
  const factor = (await listOf(needs, userId)).find((one) => one.id === id)
  return { factor: factor!, recoveryCodes }
}
