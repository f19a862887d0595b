import { DAY, HOUR, MINUTE } from '../../lib/clock.ts'

/** At most `budget` at once, and `budget` in any `window` (milliseconds) after that. */
export interface Tier {
  budget: number
  window: number
}

/** Several tiers make delays that grow: first seconds, then minutes, then the better part of an hour. */
export type Rule = readonly Tier[]

/**
 * Every limit, by name; the comment says what one key of it counts. The numbers are chosen so that a real team never
 * meets them and an attacker does at once; each can be replaced by `LIMITS`.
 */
export const rules = {
  // Wrong passwords for one account from one network. Five typing errors in a row are human; after that the waits are
  // 12 seconds, 3 minutes and 48 minutes.
  'login.account_prefix': [
    { budget: 5, window: MINUTE },
    { budget: 20, window: HOUR },
    { budget: 30, window: DAY },
  ],
  // Wrong passwords for one account from everywhere, save from its known devices and networks. NIST SP 800-63B allows
  // 100 in a row; 50 a day leaves a botnet of any size fewer than that on the first day and 50 on each further one.
  'login.account': [
    { budget: 20, window: HOUR },
    { budget: 50, window: DAY },
  ],
  // Wrong passwords from one network, whatever the accounts. An office of 500 behind one address mistypes some dozens
  // of times in a morning.
  'login.prefix': [
    { budget: 100, window: HOUR },
    { budget: 300, window: DAY },
  ],
  // Different accounts with a wrong password from one network: stuffing and spraying have one try at each of many,
  // colleagues several at few.
  'login.prefix_accounts': [
    { budget: 30, window: HOUR },
    { budget: 60, window: DAY },
  ],
  // Wrong passwords with one device token. It is void for good after that.
  'login.device': [{ budget: 10, window: 180 * DAY }],
  // Registrations from one network: a class of thirty signs up in one hour, no one needs more than a hundred a day.
  'register.prefix': [
    { budget: 40, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Mails to one address: one a minute and ten a day reach everybody who waits for one and bomb nobody.
  'mail.recipient': [
    { budget: 1, window: MINUTE },
    { budget: 5, window: HOUR },
    { budget: 10, window: DAY },
  ],
  // Mails asked for from one network.
  'mail.prefix': [
    { budget: 20, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Wrong mailed codes for one account: six digits bear 20 guesses a day for a hundred years.
  'code.account': [{ budget: 20, window: DAY }],
} as const satisfies Record<string, Rule>

export type RuleName = keyof typeof rules

export const isRuleName = (name: string): name is RuleName => Object.hasOwn(rules, name)
