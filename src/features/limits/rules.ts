import type { LimitName, Tier } from '../../config/limits.ts'
import { DAY, HOUR, MINUTE } from '../../lib/clock.ts'

/** Several tiers, the shortest window first, make delays that grow: first seconds, then minutes, then an hour. */
export type Rule = readonly Tier[]

/**
 * Every limit, by name; the comment says what one key of it counts. The numbers are chosen so that a real team never
 * meets them and an attacker does at once; each can be replaced by `LIMITS`. A network is an IPv4 address or an IPv6
 * /64. A bucket is full at first and fills up evenly, so the first day bears up to twice the budget of a day.
 */
export const rules = {
  // Wrong passwords with one device token. Its owner has the password in a keyring or forgot it; ten tries tell which.
  // It vouches for nobody after that. As long as a token lives, so that none recovers.
  'login.device': [{ budget: 10, window: 180 * DAY }],
  // Wrong passwords for one account from one network. Five typing errors in a row are human, ten in an hour are not;
  // the waits are 12 seconds, then 6 minutes, then 72 minutes. The budgets are at most half of what `login.account` gets
  // back in the same time, so that nobody on a single network makes anybody elsewhere wait.
  'login.account_prefix': [
    { budget: 5, window: MINUTE },
    { budget: 10, window: HOUR },
    { budget: 20, window: DAY },
  ],
  // Different accounts with a wrong password from one network that those accounts have never logged in from: stuffing
  // and spraying have one try at each of many. An office of 500 that moves to a new address on a Monday makes some 25
  // typing errors that morning.
  'login.prefix_accounts': [
    { budget: 20, window: HOUR },
    { budget: 40, window: DAY },
  ],
  // Wrong passwords from one network for accounts that have logged in from there before: colleagues behind one address.
  // An office of 500 mistypes some dozens of times in a morning; it bounds one of them who sprays the others.
  'login.known_prefix': [
    { budget: 100, window: HOUR },
    { budget: 300, window: DAY },
  ],
  // Wrong passwords from one network for all other accounts, whichever they are.
  'login.prefix': [
    { budget: 60, window: HOUR },
    { budget: 200, window: DAY },
  ],
  // Wrong passwords for one account from everywhere, save from its known devices and networks. NIST SP 800-63B section
  // 3.2.2 allows 100 in a row: a botnet of any size has 99 on the first day, and 50 on each further one.
  'login.account': [
    { budget: 20, window: HOUR },
    { budget: 50, window: DAY },
  ],
  // Registrations from one network: a class of thirty signs up in one hour, no one needs more than a hundred a day.
  'register.prefix': [
    { budget: 40, window: HOUR },
    { budget: 100, window: DAY },
  ],
} as const satisfies Record<LimitName, Rule>

export type RuleName = LimitName
