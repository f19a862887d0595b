import type { Columns } from '../columns.ts'
import { keyTables } from './keys.ts'
import { sessionTables } from './sessions.ts'
import { userTables } from './users.ts'

/** Every table, in one dialect's columns. */
export function allTables(c: Columns) {
  const users = userTables(c)
  return { ...users, ...sessionTables(c, users), ...keyTables(c) }
}

export type Tables = ReturnType<typeof allTables>
