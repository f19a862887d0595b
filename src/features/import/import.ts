import type { Clock } from '../../lib/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { FactorImport } from '../factors/factors.ts'
import { builtInRoles, type Roles } from '../roles/roles.ts'
import type { Users } from '../users/users.ts'
import { type Performed, perform } from './perform.ts'
import { type OnRows, type Plan, planImport } from './plan.ts'
import type { Source } from './source.ts'

export { ForeignDatabaseError } from './foreign.ts'
export { formatNames } from './layout.ts'
export type { Performed } from './perform.ts'
export { type OnRows, type Plan, type Problem, rowLabel } from './plan.ts'
export { openSource, type Source, type SourceRow } from './source.ts'
export { isSourceFile, openSourceFile } from './source-file.ts'

export interface ImportNeeds {
  clock: Clock
  users: Users
  roles: Roles
  audit: Audit
  factors: FactorImport
  /** The RP ID of this Keyward, for passkeys that name none. */
  rpId: string
}

/**
 * Imports the accounts of another user service. The source is read once for the plan and once or twice for the import,
 * and only a part of it is in memory.
 */
export interface Import {
  /**
   * Decides what happens to each account. Changes nothing.
   * @param onRows gets the number of accounts that have been read
   */
  plan(source: Source, onRows?: OnRows): Promise<Plan>
  /**
   * Imports the accounts of a plan with their ids, password hashes and roles, in batches, so that a server on the same
   * database goes on. Accounts that were imported before are not changed, so a second run imports only the accounts
   * that are new in the source, or that a run before did not reach.
   * @param onRows gets the number of accounts that have been imported
   * @throws KeywardError `database_busy` when in each of five tries a new user took an id, an address or a username
   */
  perform(of: { source: Source; plan: Plan }, onRows?: OnRows): Promise<Performed>
}

export const createImport = (needs: ImportNeeds): Import => ({
  plan: (source, onRows) => planImport(needs, source, onRows),
  perform: (of, onRows = () => {}) => perform(needs, of, onRows),
})

/** Plans an import into a database without accounts. The database need not exist yet. */
export const planFirstImport = (
  needs: Pick<ImportNeeds, 'clock' | 'rpId'>,
  source: Source,
  onRows?: OnRows,
): Promise<Plan> =>
  planImport(
    {
      ...needs,
      users: { findHolders: async () => [], list: async () => [] },
      roles: { names: async () => builtInRoles },
    },
    source,
    onRows,
  )
