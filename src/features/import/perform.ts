import { KeywardError } from '../../errors.ts'
import type { BulkUser } from '../users/users.ts'
import type { ImportNeeds } from './import.ts'
import { type Plan, planImport } from './plan.ts'
import type { SourceRow } from './source.ts'

/** Some accounts cannot be imported, so none was. `message` is for a person. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused'

  constructor(readonly plan: Plan) {
    const { accounts, present, problems } = plan
    const all = accounts.length + present + problems.length
    super(
      `Nothing was imported: ${problems.length} of ${all} accounts cannot be. Correct them in the old database, or import the rest with --skip-invalid.`,
    )
  }
}

/** How often to plan again when somebody registers under a name that was free a moment before. */
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
    // One event for all: a hundred thousand would drown the log, and each user has its own `created_at`.
    return audit.record({ event: 'users.imported', details: { accounts: accounts.length, highest_id: highest } })
  })
