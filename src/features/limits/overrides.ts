import type { LimitSetting } from '../../config/limits.ts'
import { type Rule, type RuleName, rules } from './rules.ts'

/** The rules with the replacements of `LIMITS`. A rule that is `off` has no tiers and never refuses. */
export const rulesWith = (settings: readonly LimitSetting[]): Readonly<Record<RuleName, Rule>> => ({
  ...rules,
  ...Object.fromEntries(settings.map(({ name, tiers }) => [name, tiers])),
})
