import { limitNames } from '../../config/limits.ts'
import type { RuleName } from './rules.ts'

/** The row of one tier of a rule for one key. */
export const rowKey = (rule: RuleName, tier: number, key: string): string => `${rule}/${tier}/${key}`

/** The row of the report of an exhausted bucket. */
export const reportKey = (row: string): string => `reported/${row}`

/**
 * Every transaction locks its rows in this order: by rule, narrow before wide, then by key. Otherwise two transactions
 * could wait for each other, which PostgreSQL detects only after a second.
 */
export const inLockOrder = (rows: readonly string[]): string[] =>
  rows.toSorted((a, b) => rankOf(ruleOf(a)) - rankOf(ruleOf(b)) || (a < b ? -1 : 1))

const ruleOf = (row: string): string => row.slice(0, row.indexOf('/'))

/** Reports and rules of other versions come last. */
export const rankOf = (rule: string): number => {
  const rank = (limitNames as readonly string[]).indexOf(rule)
  return rank === -1 ? limitNames.length : rank
}
