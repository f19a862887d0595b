import { KeywardError } from '../../errors.ts'
import type { BulkUser } from '../users/users.ts'
import type { ImportNeeds } from './import.ts'
import { type Plan, planImport } from './plan.ts'
import type { SourceRow } from './source.ts'

/** Nothing was imported, since some accounts cannot be. `message` is for a person. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused'

  constructor(readonly plan: Plan) {
    const { accounts, present, problems } = plan
    const all = accounts.length + present + problems.length
    super(
      `Nothing was imported: ${problems.length} of ${all} accounts have problems. Correct them in the old database, or import the others with --skip-invalid.`,
    )
  }
}

/** How often to plan at most: somebody may register a name between the plan and the insert. */
const ATTEMPTS = 5

export async function importAccounts(
  needs: ImportNeeds,
  rows: readonly SourceRow[],
  { skipInvalid }: { skipInvalid: boolean },
): Promise<Plan> {
  for (let attempt = 1; ; attempt++) {
    const plan = await planImport(needs, rows)
    if (plan.problems.length > 0 && !skipInvalid) throw new ImportRefused(plan)
    if (await insert(needs, plan.accounts)) return plan
    if (attempt === ATTEMPTS) throw new KeywardError('database_busy')
  }
}

const insert = ({ users, audit }: ImportNeeds, accounts: readonly BulkUser[]): Promise<boolean> =>
  users.insertAllOrNone(accounts, () => {
    const highest = accounts.reduce((id, account) => Math.max(id, account.id), 0)
    // One event for all: a hundred thousand events would flood the log, and each user has a `created_at`.
    return audit.record({ event: 'users.imported', details: { accounts: accounts.length, highest_id: highest } })
  })
