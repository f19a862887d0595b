import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { BulkUser, Users } from '../users/users.ts'
import { type Plan, planImport } from './plan.ts'
import type { Source } from './source.ts'

export { ForeignDatabaseError } from './foreign.ts'
export { formatNames } from './layout.ts'
export { type Plan, type Problem, rowLabel } from './plan.ts'
export { openSource, type Source, type SourceRow } from './source.ts'
export { isSourceFile, openSourceFile } from './source-file.ts'

export interface ImportNeeds {
  clock: Clock
  users: Users
  audit: Audit
}

/** Imports the accounts of another user service. */
export interface Import {
  /** Decides what happens to each account. Changes nothing. */
  plan(source: Source): Promise<Plan>
  /**
   * Imports accounts with their ids and password hashes, in one transaction. Accounts that were imported before are not
   * changed, so a second run imports only the accounts that are new in the old database. After an error, no account was
   * imported.
   * @param options.skipInvalid true to leave out the accounts with a problem
   * @returns the plan that was carried out
   * @throws ImportRefused when an account has a problem and `skipInvalid` is false; KeywardError `database_busy` when
   *   in each of five tries a new user took an id, an address or a username of the plan
   */
  perform(source: Source, options: { skipInvalid: boolean }): Promise<Plan>
}

/** Nothing was imported, because some accounts cannot be imported. `message` is for the terminal. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused'

  constructor(readonly plan: Plan) {
    const { accounts, present, problems } = plan
    const all = accounts.length + present + problems.length
    super(
      `Nothing was imported: ${problems.length} of ${all} accounts have a problem. Correct them in the old service or the file, or import the rest with --skip-invalid.`,
    )
  }
}

/** The most tries of an import. A try fails when a new user took an id, an address or a username after the planning. */
const ATTEMPTS = 5

export const createImport = (needs: ImportNeeds): Import => ({
  plan: (source) => planImport(needs, source),
  async perform(source, { skipInvalid }) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const plan = await planImport(needs, source)
      if (plan.problems.length > 0 && !skipInvalid) throw new ImportRefused(plan)
      if (await insert(needs, plan.accounts)) return plan
    }
    throw new KeywardError('database_busy')
  },
})

/** Plans an import into a database without accounts. The database need not exist yet. */
export const planFirstImport = (clock: Clock, source: Source): Promise<Plan> =>
  planImport({ clock, users: { findHolders: async () => [] } }, source)

const insert = ({ users, audit }: ImportNeeds, accounts: readonly BulkUser[]): Promise<boolean> =>
  users.insertAllOrNone(accounts, () => {
    const highest = accounts.reduce((id, account) => Math.max(id, account.id ?? 0), 0)
    // One audit event reports the whole import. One event per account would flood the audit log.
    return audit.record({ event: 'users.imported', details: { accounts: accounts.length, highest_id: highest } })
  })
