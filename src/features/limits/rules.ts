import type { LimitName, Tier } from '../../config/limits.ts'
import { DAY, HOUR, MINUTE } from '../../lib/clock.ts'

/**
 * The tiers of a rule, the shortest window first. Several tiers make the delay grow: seconds, then minutes, then an
 * hour.
 */
export type Rule = readonly Tier[]

/**
 * Every limit by name. The comment at each rule says what the rule counts. A real team never exhausts the budgets, but
 * an attacker does at once. The setting `LIMITS` can replace each rule. A bucket is full at first and refills evenly,
 * so the first day allows up to twice the budget of a day.
 *
 * A network is an IPv4 address or an IPv6 /64. A device or network is known for a user if a credential of the user was
 * checked there, and it was not forgotten since. A client without a known device and outside the known networks is a
 * stranger. `accounts/guess-limits.ts` says which rules count a guess.
 */
export const rules = {
  // Wrong passwords with one device token. After ten wrong passwords the token is void, because an owner has then
  // forgotten the password. The window is the lifetime of a device token, so the token expires before the bucket has a
  // place again. `off` means that a guess with a device token counts like a guess without a token.
  'login.device': [{ budget: 10, window: 180 * DAY }],
  // The first three wrong passwords an hour with one device token. These do not count in the roof
  // `login.known_account`, so that wrong passwords on other devices cannot stop an owner who makes three typing errors.
  // A change of the password voids device tokens. The holder of a valid token therefore knew the present password, and
  // gains nothing by guessing it. `off` means that all wrong passwords with a device token count in the roof.
  'login.device_own': [{ budget: 3, window: HOUR }],
  // Wrong passwords for one typed name from one network. The waits are 20 seconds, then 12 minutes, then 144 minutes.
  // In every tier the budget is at most half of the budget of `login.account_prefix`. An account has two names, the
  // username and the address, so this rule always refuses before `login.account_prefix` does. Otherwise three guesses
  // with each of two names would tell whether both names belong to one account.
  'login.name_prefix': [
    { budget: 3, window: MINUTE },
    { budget: 5, window: HOUR },
    { budget: 10, window: DAY },
  ],
  // Wrong passwords for one account from one network, whether the username or the address was typed. The budgets of an
  // hour and a day are at most half of the budgets of `login.account`. A single network therefore never exhausts
  // `login.account`, which would make users in other networks wait.
  'login.account_prefix': [
    { budget: 6, window: MINUTE },
    { budget: 10, window: HOUR },
    { budget: 20, window: DAY },
  ],
  // Names for which strangers in one network typed a wrong password. Credential stuffing and password spraying try each
  // of many accounts once. An office of 500 people with a new IP address makes some 25 typing errors on its first
  // morning. The rule counts names, not accounts: otherwise the count would tell whether two names belong to one
  // account.
  'login.prefix_accounts': [
    { budget: 20, window: HOUR },
    { budget: 40, window: DAY },
  ],
  // Wrong passwords from one network for all accounts for which the network is known, such as the accounts of
  // colleagues behind one IP address. An office of 500 people makes some dozens of typing errors in a morning. The rule
  // limits a colleague who guesses the passwords of other colleagues.
  'login.known_prefix': [
    { budget: 100, window: HOUR },
    { budget: 300, window: DAY },
  ],
  // The roof: wrong passwords for one account with all its known devices and from all its known networks together.
  // Without a roof, the number of guesses would grow with the number of device tokens and networks that an intruder has
  // collected. A household makes some ten typing errors in an hour. When the roof is exhausted, the guess is not
  // refused but counts as a stranger's guess. `off` means that all guesses count as a stranger's, except those that
  // `login.device_own` counts.
  'login.known_account': [
    { budget: 30, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Wrong passwords of strangers in one network, for all accounts together.
  'login.prefix': [
    { budget: 60, window: HOUR },
    { budget: 200, window: DAY },
  ],
  // Wrong passwords of strangers in all networks for one typed name. Each budget is at most half of the budget of
  // `login.account`, for the reason given at `login.name_prefix`.
  'login.name': [
    { budget: 10, window: HOUR },
    { budget: 25, window: DAY },
  ],
  // Wrong passwords of strangers in all networks for one account. NIST SP 800-63B section 3.2.2 allows 100 wrong
  // passwords in a row. A botnet of any size that knows both names of the account gets 99 guesses on the first day and
  // 50 on each further day. A botnet that knows one name gets 49 and 25.
  'login.account': [
    { budget: 20, window: HOUR },
    { budget: 50, window: DAY },
  ],
  // Right passwords for one account from one network. Each login hashes a password and adds some 750 bytes to the
  // tables of sessions and audit events. Only a script logs in five times a minute for an hour, and a script should
  // reuse its tokens. Only a person who knows the password can exhaust the budget, and only for this account in this
  // network.
  'login.right': [{ budget: 300, window: HOUR }],
  // Registrations from one network. A class of thirty people registers in one hour, and no network needs a hundred
  // registrations a day.
  'register.prefix': [
    { budget: 40, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Changes that a user makes: ending sessions, a new password. Also, for one session, the audit events about refresh
  // tokens that are newer than the session. Each change adds rows to the audit log, which stay for more than a year.
  // Nobody ends thirty sessions in a minute by hand, and the rows of 300 changes are 60 KB.
  'account.write': [
    { budget: 30, window: MINUTE },
    { budget: 300, window: DAY },
  ],
  // Wrong client secrets for one client from one network; those for no registered client, such as wrong API keys, count
  // together. A client secret has 256 random bits and an API key 192, which nobody guesses. The limit slows down a
  // service with an outdated secret, and the audit log gets one event per window. A person who sets up a service needs a
  // few attempts. The limit does not refuse a right secret.
  'client.secret': [
    { budget: 10, window: MINUTE },
    { budget: 100, window: HOUR },
  ],
  // Mails of one kind that people asked for, to one address. A mail can take a minute, so a person who asks again
  // within a minute should wait. This rule and `mail.recipient` count every typed address, whether an account has the
  // address or not.
  'mail.again': [{ budget: 1, window: MINUTE }],
  // Mails of all kinds that people asked for, to one address. An owner needs fewer mails, and the rule prevents that a
  // stranger fills a mailbox. Mails that nobody asks for, such as the notice of a new password, count in no limit.
  'mail.recipient': [
    { budget: 5, window: HOUR },
    { budget: 10, window: DAY },
  ],
  // Mails that people in one network asked for. In an office of 500 people, a few people a day forget their password.
  'mail.prefix': [
    { budget: 30, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Wrong codes for one address. A code has six digits, and five tries are allowed for each code. A person who asks for
  // many codes to the address of somebody else gets about 20 tries a day, out of a million possible codes.
  'code.account': [{ budget: 20, window: DAY }],
  // Logins with other services that one network begins, and answers of these services that are wrong. Each costs
  // requests to the other service. A right answer does not count.
  'social.start': [{ budget: 60, window: HOUR }],
  // Authorization codes for one browser session. A person opens a few applications at once. A page that sends a browser
  // to the authorization endpoint again and again fills the table of codes no faster than this.
  'authorize.session': [{ budget: 60, window: MINUTE }],
  // Requests of devices from one network. Each stores a row for a day, and nobody is signed in yet.
  'device.start': [{ budget: 30, window: HOUR }],
  // Wrong user codes in one browser session. There are 25,600,000,000 codes, and each is good for ten minutes.
  'device.user_code': [{ budget: 5, window: 10 * MINUTE }],
  // Wrong user codes from one network, in all browser sessions.
  'device.network': [{ budget: 20, window: HOUR }],
  // Wrong codes of authenticator apps for one account, over all logins and networks. A guess wins three times in a
  // million, so 20 a day are 2 % in a year. Only a person who knows the password can exhaust this budget, and passkeys
  // and recovery codes are still accepted.
  'mfa.account': [
    { budget: 5, window: 10 * MINUTE },
    { budget: 10, window: HOUR },
    { budget: 20, window: DAY },
  ],
  // Logins of one account that wait for a second factor. Each stores a row for five minutes.
  'mfa.challenge': [
    { budget: 30, window: HOUR },
    { budget: 100, window: DAY },
  ],
  // Wrong recovery codes for one account. A code has 80 random bits, which nobody guesses.
  'recovery.account': [{ budget: 10, window: HOUR }],
  // Changes of the factors of one account.
  'factor.change': [{ budget: 20, window: HOUR }],
  // Wrong sign-ins with passkeys from one network.
  'passkey.prefix': [{ budget: 60, window: 5 * MINUTE }],
} as const satisfies Record<LimitName, Rule>

export type RuleName = LimitName
