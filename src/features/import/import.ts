import type { Clock } from '../../lib/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { Users } from '../users/users.ts'
import { importAccounts } from './perform.ts'
import { type Plan, planImport } from './plan.ts'
import type { SourceRow } from './source.ts'

export { ForeignDatabaseError } from './foreign.ts'
export { ImportRefused } from './perform.ts'
export { idLabel, type Plan } from './plan.ts'
export { readSource, type Source, type SourceRow } from './source.ts'

export interface ImportNeeds {
  clock: Clock
  users: Users
  audit: Audit
}

/** Imports the accounts of another user service. */
export interface Import {
  /** Decides what happens to each account. Changes nothing. */
  plan(rows: readonly SourceRow[]): Promise<Plan>
  /**
   * Imports accounts with their ids and passwords, in one transaction. Accounts that were imported before stay
   * unchanged, so a second run imports only new ones.
   * @param options.skipInvalid skip accounts with a problem, instead of importing none
   * @throws ImportRefused if an account has a problem; then nothing was written
   */
  perform(rows: readonly SourceRow[], options: { skipInvalid: boolean }): Promise<Plan>
}

export const createImport = (needs: ImportNeeds): Import => ({
  plan: (rows) => planImport(needs, rows),
  perform: (rows, options) => importAccounts(needs, rows, options),
})

/** Plans an import into a database without accounts; it may still be missing. */
export const planFirstImport = (clock: Clock, rows: readonly SourceRow[]): Promise<Plan> =>
  planImport({ clock, users: { findHolders: async () => [] } }, rows)
