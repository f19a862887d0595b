import type { Columns } from '../columns.ts'
import { apiKeyTables } from './api-keys.ts'
import { auditTables } from './audit.ts'
import { keyTables } from './keys.ts'
import { leaseTables } from './leases.ts'
import { limitTables } from './limits.ts'
import { opsTables } from './ops.ts'
import { roleTables } from './roles.ts'
import { sessionTables } from './sessions.ts'
import { userTables } from './users.ts'

/** Every table, in one dialect's columns. */
export function allTables(c: Columns) {
  const users = userTables(c)
  return {
    ...users,
    ...sessionTables(c, users),
    ...keyTables(c),
    ...leaseTables(c),
    ...limitTables(c),
    ...roleTables(c, users),
    ...apiKeyTables(c, users),
    ...auditTables(c),
    ...opsTables(c),
  }
}

export type Tables = ReturnType<typeof allTables>
