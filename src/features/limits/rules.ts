import type { LimitName, Tier } from '../../config/limits.ts'
import { DAY, HOUR, MINUTE } from '../../lib/clock.ts'

/**
 * The tiers of a rule, the shortest window first. Several tiers make the delay grow: seconds, then minutes, then an
 * hour.
 */
export type Rule = readonly Tier[]

/**
 * Every limit by name. The comment at each rule says what the rule counts. A real team never exhausts the budgets, but
 * an attacker does at once. `LIMITS` can replace each rule. A network is an IPv4 address or an IPv6 /64. A bucket is
 * full at first and refills evenly, so the first day allows up to twice the budget of a day.
 */
export const rules = {
  // Wrong passwords with one device token. An owner who has not found the password after ten tries has forgotten it.
  // Then the token no longer marks a known device. The window is the lifetime of a token, so the token expires before
  // it could mark a known device again.
  // `off` means that a device token vouches for nobody.
  'login.device': [{ budget: 10, window: 180 * DAY }],
  // Wrong passwords with one device token that do not count in the roof `login.known_account`. So other devices cannot
  // use up what an owner needs for three typing errors. A token that was given out since the password was last changed
  // belongs to somebody who knew this password, and such a person gains nothing by guessing it. `off` means that all
  // wrong passwords with a device token count in the roof.
  'login.device_own': [{ budget: 3, window: HOUR }],
  // Wrong passwords for one typed name from one network. The waits are 20 seconds, then 12 minutes, then 144 minutes.
  // In every tier the budget is at most half of that of `login.account_prefix`. An account has two names, the username
  // and the address, so the names are always exhausted first. Otherwise three guesses with each of two names would tell
  // whether both belong to one account.
  'login.name_prefix': [
    { budget: 3, window: MINUTE },
    { budget: 5, window: HOUR },
    { budget: 10, window: DAY },
  ],
  // Wrong passwords for one account from one network, whichever name was typed. The budgets of an hour and a day are at
  // most half of those of `login.account`. So a single network never makes users of other networks wait.
  'login.account_prefix': [
    { budget: 6, window: MINUTE },
    { budget: 10, window: HOUR },
    { budget: 20, window: DAY },
  ],
  // Names with a wrong password from one network, if their accounts have never logged in from this network. Credential
  // stuffing and password spraying try each of many accounts once. An office of 500 people with a new IP address makes
  // some 25 typing errors on its first morning. Names are counted, not accounts: otherwise the count would tell whether
  // two names belong to one account.
  'login.prefix_accounts': [
    { budget: 20, window: HOUR },
    { budget: 40, window: DAY },
  ],
  // Wrong passwords from one network for accounts that have logged in from this network before, such as colleagues
  // behind one IP address. An office of 500 people makes some dozens of typing errors in a morning. The rule limits a
  // colleague who guesses the passwords of other colleagues.
  'login.known_prefix': [
    { budget: 100, window: HOUR },
    { budget: 300, window: DAY },
  ],
  // The roof: wrong passwords for one account with all its known devices and from all its known networks together.
  // Without a roof, the number of guesses would grow with the number of device tokens and networks that an intruder has
  // collected. A household makes some ten typing errors in an hour. When the roof is spent, nobody is refused: devices
  // and networks stop vouching, and the guess counts as a stranger's. `off` means that they vouch for nobody.
  'login.known_account': [
    { budget: 30, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Wrong passwords from one network for all accounts that have never logged in from this network, counted together.
  'login.prefix': [
    { budget: 60, window: HOUR },
    { budget: 200, window: DAY },
  ],
  // Wrong passwords for one typed name from all networks. Each budget is at most half of that of `login.account`, for
  // the reason given at `login.name_prefix`.
  'login.name': [
    { budget: 10, window: HOUR },
    { budget: 25, window: DAY },
  ],
  // Wrong passwords for one account from all networks. Guesses with a known device or from a known network do not
  // count, except when the roof is spent. NIST SP 800-63B section 3.2.2 allows 100 wrong passwords in a row. A botnet
  // of any size gets 99 guesses on the first day, and 50 on each further day, if it knows both names; with one name 49
  // and 25.
  'login.account': [
    { budget: 20, window: HOUR },
    { budget: 50, window: DAY },
  ],
  // Right passwords for one account from one network. Each login hashes a password and adds some 750 bytes to the sessions
  // and to the audit log. Somebody who logs in five times a minute all day is a script that should keep its tokens. Only
  // who knows the password can exhaust the budget, and only for this account in this network.
  'login.right': [{ budget: 300, window: HOUR }],
  // Registrations from one network. A class of thirty people registers in one hour, and no network needs a hundred
  // registrations a day.
  'register.prefix': [
    { budget: 40, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Changes that a user makes: ending sessions, a new password. Each change adds rows to the audit log, which are kept
  // for more than a year. Nobody ends thirty sessions in a minute by hand, and the rows of 300 changes are 60 KB.
  'account.write': [
    { budget: 30, window: MINUTE },
    { budget: 300, window: DAY },
  ],
  // Wrong client secrets from one network. A secret has 192 random bits, so nobody guesses it. The limit slows down a
  // service with an outdated secret, and the audit log gets one event per window. A person who sets up a service needs
  // a few attempts. A right secret is not refused.
  'client.secret': [
    { budget: 30, window: MINUTE },
    { budget: 100, window: HOUR },
  ],
  // Mails of one kind that were asked for, to one address. Whoever asks again within a minute waits for the first mail.
  // The address counts as it was typed, whether an account has it or not, here and in `mail.recipient`.
  'mail.again': [{ budget: 1, window: MINUTE }],
  // Mails of all kinds that were asked for, to one address. Nobody asks more often, and a stranger who fills a mailbox
  // with mails is stopped. Mails that nobody can ask for, such as that the password was changed, count in no limit.
  'mail.recipient': [
    { budget: 5, window: HOUR },
    { budget: 10, window: DAY },
  ],
  // Mails that were asked for from one network. An office of 500 people forgets a few passwords in a day.
  'mail.prefix': [
    { budget: 30, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Wrong codes for one address. A mail allows five tries of its code, which has six digits. Somebody who asks for mails
  // to the address of another person all day has 20 tries in a million.
  'code.account': [{ budget: 20, window: DAY }],
} as const satisfies Record<LimitName, Rule>

export type RuleName = LimitName
