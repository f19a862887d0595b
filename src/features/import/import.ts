import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { type Plan, planImport } from './plan.ts'
import type { SourceRow } from './source.ts'
import { importUsers } from './users.ts'

/** Some accounts cannot be taken over, so none was. `message` is for a person. */
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

/** How often to plan again because somebody registered under a name that was free a moment before. */
const ATTEMPTS = 5

/**
 * Takes the accounts of another service over, with their ids and passwords, all in one transaction. What was imported
 * before stays as it is, so running it again brings only who has registered there since.
 * @param options.skipInvalid take those without a problem rather than none
 * @throws ImportRefused when an account has a problem; nothing was written
 */
export async function importAccounts(
  deps: Pick<Deps, 'store' | 'clock'>,
  { rows, skipInvalid }: { rows: readonly SourceRow[]; skipInvalid: boolean },
): Promise<Plan> {
  for (let attempt = 1; ; attempt++) {
    const plan = await planImport(deps, rows)
    if (plan.problems.length > 0 && !skipInvalid) throw new ImportRefused(plan)
    if (await importUsers(deps, plan.accounts)) return plan
    if (attempt === ATTEMPTS) throw new KeywardError('database_busy')
  }
}
