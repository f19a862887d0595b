import { limitNames } from '../../config/limits.ts'
import type { RuleName } from './rules.ts'

/** The key of the row that stores the bucket of one tier for one counted key. */
export const rowKey = (rule: RuleName, tier: number, key: string): string => `${rule}/${tier}/${key}`

/** The row key that prevents a second audit event about the exhausted bucket `row` within one window. */
export const reportKey = (row: string): string => `reported/${row}`

/**
 * Sorts row keys in the order in which every transaction locks its rows: by the position of the rule in `limitNames`,
 * then by key. With different orders, two transactions could wait for each other (a deadlock), which PostgreSQL detects
 * only after a second.
 */
export const inLockOrder = (rows: readonly string[]): string[] =>
  rows.toSorted((a, b) => rankOf(ruleOf(a)) - rankOf(ruleOf(b)) || (a < b ? -1 : 1))

const ruleOf = (row: string): string => row.slice(0, row.indexOf('/'))

/** The position of a rule in `limitNames`. Any other text, such as a rule of another version of Keyward, comes last. */
export const rankOf = (rule: string): number => {
  const rank = (limitNames as readonly string[]).indexOf(rule)
  return rank === -1 ? limitNames.length : rank
}
