import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { FactorImport, Sealer } from '../factors/factors.ts'
import type { Roles } from '../roles/roles.ts'
import type { BulkUser, Users } from '../users/users.ts'
import type { Problem } from './ledger.store.ts'
import { indexByKeys, judge, keysOf, type OnRows, type Plan } from './plan.ts'
import { type Reading, readAccount } from './read-account.ts'
import type { Source } from './source.ts'

export interface PerformNeeds {
  clock: Clock
  users: Pick<Users, 'findHolders' | 'insertAllOrNone' | 'reserveIds'>
  roles: Pick<Roles, 'grantMany'>
  audit: Audit
  factors: Pick<FactorImport, 'sealer' | 'add'>
  /** The RP ID of this Keyward, for passkeys that name none. */
  rpId: string
}

export interface Performed {
  /** The number of accounts that were imported. */
  imported: number
  /** The number of accounts that another import added after the plan. */
  present: number
  /** The accounts whose id, address or username a new user took after the plan. */
  late: Problem[]
  /** The number of roles that were granted: not one that was deleted after the plan. */
  roles: number
  /** The number of second factors that were imported: not a credential that Keyward has already. */
  factors: number
}

/**
 * The number of accounts in a transaction. It holds SQLite's lock for less than half a second, and a server waits three.
 * Each batch writes most pages of the indexes again, so fewer, larger ones are quicker: with 8,000 a million accounts take
 * a fifth longer, and with 16,000 a quarter more memory.
 */
const BATCH = 11_000
/** The most tries of a batch. A try fails when a new user took an id, an address or a username after the look-up. */
const ATTEMPTS = 5

/**
 * Imports the accounts of a plan in batches, so that a server on the same database goes on. After an error or a crash,
 * whole batches are imported, and a second import continues after them.
 * @param onRows gets the number of accounts that have been imported; its error ends the import after whole batches
 * @throws KeywardError `database_busy` when new users took names of one batch in each of five tries
 */
export async function perform(
  needs: PerformNeeds,
  { source, plan }: { source: Source; plan: Plan },
  onRows: OnRows,
): Promise<Performed> {
  const done: Performed = { imported: 0, present: 0, late: [], roles: 0, factors: 0 }
  // For the whole plan: otherwise a new user could get the id of an account in a later batch.
  if (plan.highestId > 0) await needs.users.reserveIds(plan.highestId)
  let isAudited = false
  // One audit event reports the whole import. One event per account would flood the audit log. The first batch records
  // it, so that an import that does not come to its end is recorded too.
  const audited = async () => {
    if (!isAudited)
      await needs.audit.record({
        event: 'users.imported',
        details: {
          accounts: plan.accounts,
          highest_id: plan.highestId,
          ...(plan.roles > 0 && { roles: plan.roles }),
          ...(plan.apps + plan.passkeys > 0 && { factors: plan.apps + plan.passkeys }),
        },
      })
  }
  // The database assigns ids above those that are imported, so these come first.
  const kinds = [...(plan.accounts > plan.withoutId ? [true] : []), ...(plan.withoutId > 0 ? [false] : [])]
  const seal = plan.apps > 0 ? await needs.factors.sealer() : undefined
  for (const hasId of kinds)
    for await (const batch of batches(needs, { source, plan, hasId })) {
      const inserted = await insertBatch(needs, batch, { done, audited, seal })
      isAudited ||= inserted > 0
      done.imported += inserted
      await onRows(done.imported)
    }
  return done
}

/** Reads the accounts of the plan that have an id in it, or the others. */
async function* batches(
  { clock, rpId }: Pick<PerformNeeds, 'clock' | 'rpId'>,
  { source, plan, hasId }: { source: Source; plan: Plan; hasId: boolean },
): AsyncGenerator<Reading[]> {
  const options = { ...source, rpId, now: clock.now() }
  const passedOver = plan.passedOver()
  let next = passedOver.next()
  let at = 0
  let batch: Reading[] = []
  for await (const part of source.rows())
    for (const row of part) {
      if (at++ === next.value) {
        next = passedOver.next()
        continue
      }
      const reading = readAccount(row, options)
      if ((reading.account.id !== undefined) === hasId) batch.push(reading)
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
  if (batch.length > 0) yield batch
}

/** @returns how many accounts were imported */
async function insertBatch(
  { users, roles, factors }: PerformNeeds,
  batch: readonly Reading[],
  { done, audited, seal }: { done: Performed; audited: () => Promise<void>; seal: Sealer | undefined },
): Promise<number> {
  let rest = batch
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const grants = rest.flatMap(({ account, roles: names }) =>
      names.map((role) => ({ email: account.emailKey!, role })),
    )
    const holders = rest.filter(({ factors: { apps, passkeys } }) => apps.length + passkeys.length > 0)
    const owned = holders.map(({ account, factors: theirs }) => ({ email: account.emailKey!, factors: theirs }))
    let [granted, added] = [0, 0]
    const accounts = rest.map(({ account }) => account as BulkUser)
    const isDone = await users.insertAllOrNone(accounts, async () => {
      await audited()
      granted = await roles.grantMany(grants)
      added = await factors.add(owned, seal)
    })
    if (isDone) {
      done.roles += granted
      done.factors += added
      return rest.length
    }
    const others = indexByKeys(await users.findHolders(rest.flatMap(keysOf)))
    rest = rest.filter((reading) => {
      const { state, conflicts } = judge(reading, others)
      if (state === 'present') done.present++
      if (state === 'problem')
        done.late.push({
          sourceId: reading.sourceId,
          line: reading.line,
          username: undefined,
          reasons: [...reading.reasons, ...conflicts],
        })
      return state === 'new'
    })
  }
  throw new KeywardError('database_busy')
}
