import type { Clock } from '../../lib/clock.ts'
import type { BulkUser, UserKeys, Users } from '../users/users.ts'
import { type Reading, readAccount } from './read-account.ts'
import type { SourceRow } from './source.ts'

/** An account that cannot be imported. */
export interface Problem {
  /** The id in the other service, or empty; it may be any text. */
  sourceId: string
  /** Sentences without an address, a name or a hash. */
  reasons: string[]
}

export interface Plan {
  accounts: BulkUser[]
  /** How many were imported before: the same id, address and username are in Keyward. */
  present: number
  problems: Problem[]
}

/**
 * If Keyward could not distinguish two accounts, it imports neither: only a person can know which of them owns the address
 * or the username.
 */
export async function planImport(
  { clock, users }: { clock: Clock; users: Pick<Users, 'findHolders'> },
  rows: readonly SourceRow[],
): Promise<Plan> {
  const now = clock.now()
  const readings = rows.map((row) => readAccount(row, now))
  const known = readings.map(({ account }) => account).filter(hasKeys)
  const holders = holderIndex(await users.findHolders(known))
  const twins = twinIndex(readings)
  const plan: Plan = { accounts: [], present: 0, problems: [] }
  for (const reading of readings) {
    const { sourceId, account } = reading
    const holder = account.id === undefined ? undefined : holders.id.get(account.id)
    if (holder?.emailKey === account.emailKey && holder?.usernameKey === account.usernameKey && holder) {
      plan.present++
      continue
    }
    const reasons = [...reading.reasons, ...twinReasons(twins, reading), ...holderReasons(holders, account)]
    if (reasons.length > 0) plan.problems.push({ sourceId, reasons })
    else plan.accounts.push(account as BulkUser)
  }
  return plan
}

type Account = Reading['account']

const hasKeys = (account: Account): account is Account & UserKeys =>
  account.id !== undefined && account.emailKey !== undefined && account.usernameKey !== undefined

type TwinIndex = Record<keyof UserKeys, Map<unknown, Reading[]>>

const twinIndex = (readings: readonly Reading[]): TwinIndex => ({
  id: Map.groupBy(readings, ({ account }) => account.id),
  emailKey: Map.groupBy(readings, ({ account }) => account.emailKey),
  usernameKey: Map.groupBy(readings, ({ account }) => account.usernameKey),
})

function twinReasons(twins: TwinIndex, reading: Reading): string[] {
  const twinBy = (key: keyof UserKeys): Reading | undefined => {
    const value = reading.account[key]
    return value === undefined ? undefined : twins[key].get(value)?.find((other) => other !== reading)
  }
  const email = twinBy('emailKey')
  const username = twinBy('usernameKey')
  return [
    ...(twinBy('id') ? ['another account has the same id'] : []),
    ...(email ? [`the email address is also that of ${idLabel(email.sourceId)}, apart from capital letters`] : []),
    ...(username ? [`the username looks like that of ${idLabel(username.sourceId)}, apart from capital letters`] : []),
  ]
}

type HolderIndex = ReturnType<typeof holderIndex>

const holderIndex = (holders: readonly UserKeys[]) => ({
  id: new Map(holders.map((one) => [one.id, one])),
  emailKey: new Map(holders.map((one) => [one.emailKey, one])),
  usernameKey: new Map(holders.map((one) => [one.usernameKey, one])),
})

function holderReasons(holders: HolderIndex, { id, emailKey, usernameKey }: Account): string[] {
  const email = holders.emailKey.get(emailKey ?? '')
  const username = holders.usernameKey.get(usernameKey ?? '')
  return [
    ...(holders.id.has(id ?? 0) ? ['Keyward has an account with this id and another email address or username'] : []),
    ...(email && email.id !== id ? [`the email address belongs to the account with id ${email.id} in Keyward`] : []),
    ...(username && username.id !== id
      ? [`the username belongs to the account with id ${username.id} in Keyward`]
      : []),
  ]
}

/** An id of another service for a terminal: short and printable. */
export const idLabel = (sourceId: string): string =>
  sourceId === '' ? 'the account without an id' : `id ${sourceId.slice(0, 40).replace(/[^\x21-\x7e]/g, '?')}`
