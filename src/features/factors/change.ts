import { KeywardError } from '../../errors.ts'
import { type Factor, type FactorType, factorId, readFactorId } from './factor.ts'
import type { FactorsNeeds } from './factors.ts'
import * as own from './own.store.ts'
import * as codes from './recovery-codes.store.ts'
import { makeRecoveryCodes } from './recovery-codes.ts'

/** Who changes factors: the user in a session, or for another user the administrator or a command. */
export interface FactorChanger {
  userId: number
  sessionId?: string
  ip?: string
  actorId?: number
}

export const listOf = ({ store: db, settings }: FactorsNeeds, userId: number): Promise<Factor[]> =>
  own.listOf(db, { userId, rpId: settings.hasPasskeys ? settings.rpId : null })

/** @throws KeywardError `too_many_factors` */
export async function requireRoom({ store: db, settings }: FactorsNeeds, userId: number): Promise<void> {
  if ((await own.countOf(db, userId)) >= settings.maxPerUser) throw new KeywardError('too_many_factors')
}

/**
 * What follows when a factor was stored and confirmed, in the same transaction: the event, the mail to the owner, and
 * with the first factor the recovery codes.
 * @returns the recovery codes; undefined when the user had a usable factor before
 */
export async function followAdded(
  needs: FactorsNeeds,
  { by, id, type, name }: { by: FactorChanger; id: string; type: FactorType; name: string },
): Promise<string[] | undefined> {
  const { audit, mails } = needs
  const { userId, ip } = by
  const isFirst = !(await listOf(needs, userId)).some((factor) => factor.isUsable && factor.id !== id)
  await audit.record({ event: 'factor.confirmed', ...by, details: { factor: id, type } })
  await mails.notify('factor_added', userId, { ip, factor: name })
  return isFirst ? makeRecoveryCodes(needs, userId) : undefined
}

/** See `FactorChanges.rename`. */
export async function rename(
  { store: db, audit }: FactorsNeeds,
  { by, id, name }: { by: FactorChanger; id: string; name: string },
): Promise<void> {
  const { userId } = by
  const key = readFactorId(id)
  if (!key || !(await own.rename(db, { userId, ...key, name }))) throw new KeywardError('factor_not_found')
  await audit.record({ event: 'factor.renamed', ...by, details: { factor: id } })
}

/** See `FactorChanges.remove`. */
export async function remove(
  needs: FactorsNeeds,
  { by, id }: { by: FactorChanger; id: string },
): Promise<{ removed: Factor; left: readonly Factor[] }> {
  const { store: db, audit, mails } = needs
  const { userId, ip } = by
  const key = readFactorId(id)
  const found = (await listOf(needs, userId)).find((factor) => factor.id === id)
  if (!key || !found || !(await own.remove(db, { userId, ...key }))) throw new KeywardError('factor_not_found')
  const left = await listOf(needs, userId)
  // Recovery codes alone are no second factor. Codes that were left would still be asked for at the login.
  if (!left.some(({ isUsable }) => isUsable)) await codes.replaceAll(db, { userId, macs: [], now: needs.clock.now() })
  await audit.record({ event: 'factor.removed', ...by, details: { factor: factorId(key), type: found.type } })
  await mails.notify('factor_removed', userId, { ip, factor: found.name })
  return { removed: found, left }
}

/** See `FactorChanges.renewRecoveryCodes`. */
export async function renewRecoveryCodes(needs: FactorsNeeds, { by }: { by: FactorChanger }): Promise<string[]> {
  const { audit, mails } = needs
  const { userId, ip } = by
  if (!(await listOf(needs, userId)).some(({ isUsable }) => isUsable)) throw new KeywardError('no_factor')
  const renewed = await makeRecoveryCodes(needs, userId)
  await audit.record({ event: 'recovery_codes.renewed', ...by })
  await mails.notify('recovery_codes_renewed', userId, { ip })
  return renewed
}
