/** The limits that `LIMITS` can replace; what each counts stands in `features/limits/rules.ts`. */
export const limitNames = [
  'login.device',
  'login.account_prefix',
  'login.prefix_accounts',
  'login.known_prefix',
  'login.prefix',
  'login.account',
  'register.prefix',
] as const

export type LimitName = (typeof limitNames)[number]

export const isLimitName = (name: string): name is LimitName => (limitNames as readonly string[]).includes(name)

const tier = '[1-9]\\d{0,5}/[1-9]\\d{0,3}[smhd]'
const setting = new RegExp(`^[a-z_]+\\.[a-z_]+=(?:off|${tier}(?:\\+${tier})*)$`)

/** `name=budget/window`, tiers joined by `+`, or `name=off`. */
export const isLimitSetting = (text: string): boolean => setting.test(text)

/** What is wrong with well-formed settings together: a name that is no limit, or that is there twice. */
export function limitProblems(settings: readonly string[]): string[] {
  const names = settings.map((one) => one.slice(0, one.indexOf('=')))
  return [...new Set(names)].flatMap((name) => {
    if (!isLimitName(name)) return [`there is no limit ${JSON.stringify(name)}; there are ${limitNames.join(', ')}`]
    return names.indexOf(name) === names.lastIndexOf(name) ? [] : [`the limit ${name} is given twice`]
  })
}
