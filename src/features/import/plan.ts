import type { Clock } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import type { BulkUser, UserKeys, Users } from '../users/users.ts'
import { type Reading, readAccount } from './read-account.ts'
import type { SourceRow } from './source.ts'

/** An account that cannot be imported. */
export interface Problem extends Pick<Reading, 'sourceId' | 'line' | 'reasons'> {
  /** The username in a file; undefined for an account of a database, and for one without a username. */
  username: string | undefined
}

/** The decision about each account of the old database. */
export interface Plan {
  /** The accounts to import. */
  accounts: BulkUser[]
  /** The number of accounts that were imported before: Keyward has a user with the same id, address and username. */
  present: number
  /** The accounts that cannot be imported, each with the reasons: sentences that contain no address, name or hash. */
  problems: Problem[]
}

/**
 * Plans an import and changes nothing. When two accounts that were not imported before have the same id, address or
 * username, both are problems, because only a person can decide which account is the right one.
 */
export async function planImport(
  { clock, users }: { clock: Clock; users: Pick<Users, 'findHolders'> },
  rows: readonly SourceRow[],
): Promise<Plan> {
  const now = clock.now()
  const readings = rows.map((row) => readAccount(row, now))
  const known = readings.flatMap(({ account }) => keysOf(account))
  const holders = indexByKeys(await users.findHolders(known), (holder) => holder)
  const twins = indexByKeys(readings, ({ account }) => account)
  const plan: Plan = { accounts: [], present: 0, problems: [] }
  for (const [at, reading] of readings.entries()) {
    const { sourceId, line, account } = reading
    // An account of a file may have no id. Then it was imported before if a user has both its address and its username.
    const byAddress = line !== undefined && account.id === undefined && reading.reasons.length === 0
    const holder = (byAddress ? holders.emailKey.get(account.emailKey) : holders.id.get(account.id))?.[0]
    if (holder && holder.emailKey === account.emailKey && holder.usernameKey === account.usernameKey) {
      plan.present++
      continue
    }
    const reasons = [...reading.reasons, ...conflicts(reading, twins, holders)]
    if (reasons.length > 0)
      plan.problems.push({ sourceId, line, username: (line && rows[at]?.username) || undefined, reasons })
    else plan.accounts.push(account as BulkUser)
  }
  return plan
}

/** The keys of an account. No user has the id 0, which stands for an id that the database is to assign. */
function keysOf({ id = 0, emailKey, usernameKey }: Reading['account']): UserKeys[] {
  return emailKey === undefined || usernameKey === undefined ? [] : [{ id, emailKey, usernameKey }]
}

type Index<Entry> = Record<keyof UserKeys, Map<unknown, Entry[]>>

const indexByKeys = <Entry>(entries: readonly Entry[], keysOf: (entry: Entry) => Partial<UserKeys>): Index<Entry> => ({
  id: Map.groupBy(entries, (entry) => keysOf(entry).id),
  emailKey: Map.groupBy(entries, (entry) => keysOf(entry).emailKey),
  usernameKey: Map.groupBy(entries, (entry) => keysOf(entry).usernameKey),
})

/** Returns a sentence for each id, address or username that another account has, in the old database or in Keyward. */
function conflicts(reading: Reading, twins: Index<Reading>, holders: Index<UserKeys>): string[] {
  const { account } = reading
  const twin = (key: keyof UserKeys): string | undefined => {
    const other = twins[key].get(account[key])?.find((one) => one !== reading)
    return account[key] === undefined || other === undefined ? undefined : rowLabel(other)
  }
  const holder = (key: keyof UserKeys): number | undefined =>
    holders[key].get(account[key])?.find(({ id }) => id !== account.id)?.id
  const [emailTwin, usernameTwin] = [twin('emailKey'), twin('usernameKey')]
  const [emailHolder, usernameHolder] = [holder('emailKey'), holder('usernameKey')]
  return [
    twin('id') && 'another account has the same id',
    emailTwin && `${emailTwin} has the same email address, ignoring case`,
    usernameTwin && `${usernameTwin} has the same username, ignoring case and letter forms`,
    holders.id.has(account.id) && 'Keyward has an account with this id and another email address or username',
    emailHolder && `the email address belongs to the account with id ${emailHolder} in Keyward`,
    usernameHolder && `the username belongs to the account with id ${usernameHolder} in Keyward`,
  ].filter((reason) => typeof reason === 'string')
}

/** Names a row for the terminal: the line in a file, the id in the other service. The text is short and printable. */
export function rowLabel({ sourceId, line }: Pick<Reading, 'sourceId' | 'line'>): string {
  const id = sourceId === '' ? undefined : `id ${printable(sourceId.slice(0, 40))}`
  if (line !== undefined) return [`line ${line}`, id].filter(Boolean).join(', ')
  return id ?? 'the account without an id'
}
