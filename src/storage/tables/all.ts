import type { Columns } from '../columns.ts'
import { accountTables } from './accounts.ts'
import { addressTables } from './addresses.ts'
import { apiKeyTables } from './api-keys.ts'
import { auditTables } from './audit.ts'
import { clientTables } from './clients.ts'
import { factorTables } from './factors.ts'
import { firstAdminTables } from './first-admin.ts'
import { leaseTables } from './leases.ts'
import { limitTables } from './limits.ts'
import { logoutTables } from './logouts.ts'
import { mailTables } from './mail.ts'
import { openidTables } from './openid.ts'
import { probeTables } from './probes.ts'
import { proofTables } from './proofs.ts'
import { roleTables } from './roles.ts'
import { secretTables } from './secrets.ts'
import { sessionTables } from './sessions.ts'
import { signingKeyTables } from './signing-keys.ts'
import { socialTables } from './social.ts'
import { userTables } from './users.ts'

/** Declares every table for one database: `c` has the column kinds of SQLite or of PostgreSQL. */
export function allTables(c: Columns) {
  const users = userTables(c)
  const clients = clientTables(c)
  return {
    ...users,
    ...addressTables(c, users),
    ...sessionTables(c, users),
    ...signingKeyTables(c),
    ...leaseTables(c),
    ...limitTables(c),
    ...roleTables(c, users),
    ...apiKeyTables(c, users),
    ...auditTables(c),
    ...probeTables(c),
    ...mailTables(c),
    ...proofTables(c, users),
    ...accountTables(c),
    ...firstAdminTables(c),
    ...secretTables(c),
    ...clients,
    ...openidTables(c, users, clients),
    ...logoutTables(c),
    ...factorTables(c, users),
    ...socialTables(c, users),
  }
}

/**
 * The tables about processes that run on this database. A copy leaves their rows out, because no process runs on the
 * new database yet. With them, jobs would wait until the leases of the old servers expire, and a change of `SECRET_KEY`
 * would wait for servers of the old database.
 */
export const processTables = ['leases', 'processes'] as const satisfies readonly (keyof Tables)[]

export type Tables = ReturnType<typeof allTables>
