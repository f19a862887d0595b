import { ConfigError } from '../../config/problems.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../lib/clock.ts'
import { isRuleName, type Rule, type RuleName, rules } from './rules.ts'

const units: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }

/**
 * The rules with those of `LIMITS` in their place. A rule that is `off` has no tiers and never refuses.
 * @throws ConfigError for a name that is no rule, or one given twice
 */
export function rulesWith(settings: readonly string[]): Readonly<Record<RuleName, Rule>> {
  const result: Record<RuleName, Rule> = { ...rules }
  const seen = new Set<string>()
  const problems = settings.flatMap((setting) => {
    const [name, tiers] = setting.split('=') as [string, string]
    if (!isRuleName(name))
      return [`there is no limit ${JSON.stringify(name)}; there are ${Object.keys(rules).join(', ')}`]
    if (seen.has(name)) return [`the limit ${name} is given twice`]
    seen.add(name)
    result[name] = tiers === 'off' ? [] : tiers.split('+').map(readTier)
    return []
  })
  if (problems.length > 0) throw new ConfigError(problems.map((message) => ({ key: 'LIMITS', message })))
  return result
}

function readTier(text: string) {
  const [, budget, amount, unit] = /^(\d+)\/(\d+)([smhd])$/.exec(text)!
  return { budget: Number(budget), window: Number(amount) * units[unit!]! }
}
