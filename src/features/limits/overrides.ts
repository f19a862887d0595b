import { isLimitName } from '../../config/limits.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/clock.ts'
import { type Rule, type RuleName, rules, type Tier } from './rules.ts'

const units: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }

/** The rules with the replacements of `LIMITS`. A rule that is `off` has no tiers and never refuses. */
export function rulesWith(settings: readonly string[]): Readonly<Record<RuleName, Rule>> {
  const result: Record<RuleName, Rule> = { ...rules }
  for (const setting of settings) {
    const [name, tiers] = setting.split('=') as [string, string]
    if (isLimitName(name)) result[name] = tiers === 'off' ? [] : tiers.split('+').map(readTier).sort(byWindow)
  }
  return result
}

function readTier(text: string): Tier {
  const [, budget, amount, unit] = /^(\d+)\/(\d+)([smhd])$/.exec(text)!
  return { budget: Number(budget), window: Number(amount) * units[unit!]! }
}

const byWindow = (a: Tier, b: Tier): number => a.window - b.window
