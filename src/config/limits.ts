import { DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'

/**
 * The names of the rate limits that the setting `LIMITS` can replace. `features/limits/rules.ts` describes each rate
 * limit.
 */
export const limitNames = [
  'login.device',
  'login.device_own',
  'login.name_prefix',
  'login.account_prefix',
  'login.prefix_accounts',
  'login.known_prefix',
  'login.known_account',
  'login.prefix',
  'login.name',
  'login.account',
  'login.right',
  'register.prefix',
  'account.write',
  'client.secret',
  'mail.again',
  'mail.recipient',
  'mail.prefix',
  'code.account',
  'social.start',
  'authorize.session',
  'device.start',
  'device.user_code',
  'device.network',
  'mfa.account',
  'mfa.challenge',
  'recovery.account',
  'factor.change',
  'passkey.prefix',
] as const

export type LimitName = (typeof limitNames)[number]

/**
 * A rate limit allows at most `budget` attempts at once, and then one further attempt each `window / budget`
 * milliseconds.
 */
export interface Tier {
  budget: number
  window: number
}

export interface LimitSetting {
  /** The entry as the operator wrote it. */
  text: string
  /** One of `limitNames`: `limitProblems` refuses any other name. */
  name: string
  /** The tiers that replace the built-in tiers, the shortest window first; empty for `off`. */
  tiers: readonly Tier[]
}

const units: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }
const tier = '[1-9]\\d{0,5}/[1-9]\\d{0,3}[smhd]'
const setting = new RegExp(`^([a-z_]+\\.[a-z_]+)=(?:off|${tier}(?:\\+${tier})*)$`)

/**
 * Parses an entry of `LIMITS`: `name=budget/window`, with further tiers after a `+`, or `name=off`. The name is not
 * checked.
 * @returns undefined for any other text
 */
export function readLimitSetting(text: string): LimitSetting | undefined {
  const name = setting.exec(text)?.[1]
  if (name === undefined) return undefined
  const tiers = [...text.matchAll(/(\d+)\/(\d+)([smhd])/g)].map(([, budget, amount, unit = '']) => ({
    budget: Number(budget),
    window: Number(amount) * units[unit]!,
  }))
  return { text, name, tiers: tiers.sort((a, b) => a.window - b.window) }
}

/**
 * Returns the problems that parsed entries of `LIMITS` can still have: an unknown name, or a name that is given twice.
 */
export function limitProblems(settings: readonly LimitSetting[]): string[] {
  const names = settings.map(({ name }) => name)
  return [...new Set(names)].flatMap((name) => {
    if (!limitNames.some((known) => known === name))
      return [`there is no limit ${JSON.stringify(name)}; there are ${limitNames.join(', ')}`]
    return names.indexOf(name) === names.lastIndexOf(name) ? [] : [`the limit ${name} is given twice`]
  })
}
