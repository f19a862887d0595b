import { limitNames } from '../../config/limits.ts'
import type { RuleName } from './rules.ts'

/** The row of one tier of a rule, for what is counted. */
export const rowKey = (rule: RuleName, tier: number, key: string): string => `${rule}/${tier}/${key}`

/** The row that says that a bucket's owner was reported; see `createLimiter`. */
export const reportKey = (row: string): string => `reported/${row}`

/**
 * The one order in which every transaction takes its rows: rule by rule, narrow before wide, then by key. Two of them never
 * wait for each other in a circle, which PostgreSQL would let stand for a second and then break.
 */
export const inLockOrder = (rows: readonly string[]): string[] =>
  rows
    .map((row) => ({ row, rank: rankOf(row.slice(0, row.indexOf('/'))) }))
    .sort((a, b) => a.rank - b.rank || (a.row < b.row ? -1 : 1))
    .map(({ row }) => row)

/** What is no rule, a report or a rule of another version, comes last. */
export const rankOf = (rule: string): number => {
  const rank = (limitNames as readonly string[]).indexOf(rule)
  return rank === -1 ? limitNames.length : rank
}
