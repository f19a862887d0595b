import type { LimitName, Tier } from '../../config/limits.ts'
import { DAY, HOUR, MINUTE } from '../../lib/clock.ts'

/** Tiers, the shortest window first. Together they make growing delays: seconds, then minutes, then an hour. */
export type Rule = readonly Tier[]

/**
 * Every limit by name; the comment says what one key counts. The budgets are so large that a real team never exhausts
 * them, and an attacker does at once; `LIMITS` can replace each. A network is an IPv4 address or an IPv6 /64. A bucket
 * is full at first and refills evenly, so the first day allows up to twice the budget of a day.
 */
export const rules = {
  // Wrong passwords with one device token. Its owner has stored the password or forgotten it; ten tries show which.
  // After them the token no longer marks a known device. The window is the lifetime of a token, so that none recovers.
  'login.device': [{ budget: 10, window: 180 * DAY }],
  // Wrong passwords for one account from one network. A person makes five typing errors in a row, but not ten in an
  // hour; the waits are 12 seconds, then 6 minutes, then 72 minutes. The budgets are at most half of what
  // `login.account` gets back in the same time, so that one network alone never makes users of other networks wait.
  'login.account_prefix': [
    { budget: 5, window: MINUTE },
    { budget: 10, window: HOUR },
    { budget: 20, window: DAY },
  ],
  // Different accounts with a wrong password from one network from which these accounts have never logged in:
  // credential stuffing and password spraying try each of many accounts once. An office of 500 with a new address makes
  // some 25 typing errors on its first morning.
  'login.prefix_accounts': [
    { budget: 20, window: HOUR },
    { budget: 40, window: DAY },
  ],
  // Wrong passwords from one network for accounts that have logged in from it before: colleagues behind one address. An
  // office of 500 makes some dozens of typing errors in a morning; the rule limits a colleague who attacks the others.
  'login.known_prefix': [
    { budget: 100, window: HOUR },
    { budget: 300, window: DAY },
  ],
  // Wrong passwords from one network for all other accounts together.
  'login.prefix': [
    { budget: 60, window: HOUR },
    { budget: 200, window: DAY },
  ],
  // Wrong passwords for one account from all networks, except with its known devices and networks. NIST SP 800-63B
  // section 3.2.2 allows 100 in a row: a botnet of any size has 99 on the first day, and 50 on each further day.
  'login.account': [
    { budget: 20, window: HOUR },
    { budget: 50, window: DAY },
  ],
  // Registrations from one network: a class of thirty registers in one hour, and no network needs a hundred a day.
  'register.prefix': [
    { budget: 40, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Changes that a user makes: ending sessions, a new password. Each adds rows to the audit log, which are kept for more
  // than a year. Nobody ends thirty sessions in a minute by hand, and 300 a day of one user are 60 KB.
  'account.write': [
    { budget: 30, window: MINUTE },
    { budget: 300, window: DAY },
  ],
} as const satisfies Record<LimitName, Rule>

export type RuleName = LimitName
