import type { Clock } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import type { BulkKeys, BulkUser, Users } from '../users/users.ts'
import { isMadeFor, type Reading, type ReadOptions, readAccount } from './read-account.ts'
import type { Source, SourceRow } from './source.ts'

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
  /** How many of `accounts` have rights in the other service. */
  privileged: number
  /** The accounts that cannot be imported, each with the reasons: sentences that contain no address, name or hash. */
  problems: Problem[]
}

/**
 * Plans an import and changes nothing. When two accounts that were not imported before have the same id, address or
 * username, both are problems, because only a person can decide which account is the right one.
 */
export async function planImport(
  { clock, users }: { clock: Clock; users: Pick<Users, 'findHolders'> },
  source: Source,
): Promise<Plan> {
  const options: ReadOptions = { ...source, now: clock.now() }
  const rows: SourceRow[] = []
  for await (const part of source.rows()) rows.push(...part)
  const readings = rows.map((row) => readAccount(row, options))
  const known = readings.flatMap(({ account }) => keysOf(account))
  const holders = indexByKeys(await users.findHolders(known), (holder) => holder)
  const twins = indexByKeys(readings, ({ account }) => account)
  const plan: Plan = { accounts: [], present: 0, privileged: 0, problems: [] }
  for (const [at, reading] of readings.entries()) {
    const { sourceId, line, account } = reading
    if (wasImported(reading, holders)) {
      plan.present++
      continue
    }
    const reasons = [...reading.reasons, ...conflicts(reading, twins, holders)]
    if (reasons.length > 0)
      plan.problems.push({ sourceId, line, username: (line && rows[at]?.username) || undefined, reasons })
    else {
      plan.accounts.push(account as BulkUser)
      if (rows[at]?.isPrivileged) plan.privileged++
    }
  }
  return plan
}

/**
 * Returns true when Keyward has the account from an earlier import. An external id alone tells this: only an import
 * stores one. An id does not, because Keyward assigns ids itself, so the address and the username must be the same, too.
 * An account without an id has nothing but these two.
 */
function wasImported({ account, reasons, isNameMade }: Reading, holders: Index<BulkKeys>): boolean {
  const { id, emailKey, usernameKey, externalId } = account
  if (externalId) return holders.externalId.has(externalKey(account))
  // An account whose id cannot be read is none without an id.
  if (id === undefined && reasons.length > 0) return false
  const holder = (id === undefined ? holders.emailKey.get(emailKey) : holders.id.get(id))?.[0]
  if (holder === undefined || holder.emailKey !== emailKey) return false
  return holder.usernameKey === usernameKey || (isNameMade && isMadeFor(holder.emailKey, holder.usernameKey))
}

/** The keys of an account. No user has the id 0, which stands for an id that the database is to assign. */
function keysOf({ id = 0, emailKey, usernameKey, ...external }: Reading['account']): BulkKeys[] {
  const { externalId = null, externalSource = null } = external
  return emailKey === undefined || usernameKey === undefined
    ? []
    : [{ id, emailKey, usernameKey, externalId, externalSource }]
}

/** The key under which an `Index` has the external id; undefined without one. */
const externalKey = ({ externalId, externalSource }: Partial<BulkKeys>): string | undefined =>
  externalId ? `${externalSource} ${externalId}` : undefined

type Key = 'id' | 'externalId' | 'emailKey' | 'usernameKey'
type Index<Entry> = Record<Key, Map<unknown, Entry[]>>

const indexByKeys = <Entry>(entries: readonly Entry[], keysOf: (entry: Entry) => Partial<BulkKeys>): Index<Entry> => ({
  id: Map.groupBy(entries, (entry) => keysOf(entry).id),
  externalId: Map.groupBy(entries, (entry) => externalKey(keysOf(entry))),
  emailKey: Map.groupBy(entries, (entry) => keysOf(entry).emailKey),
  usernameKey: Map.groupBy(entries, (entry) => keysOf(entry).usernameKey),
})

/** Returns a sentence for each id, address or username that another account has, in the old database or in Keyward. */
function conflicts(reading: Reading, twins: Index<Reading>, holders: Index<BulkKeys>): string[] {
  const { account } = reading
  const twin = (key: Key): string | undefined => {
    const value = key === 'externalId' ? externalKey(account) : account[key]
    const other = value === undefined ? undefined : twins[key].get(value)?.find((one) => one !== reading)
    return other && rowLabel(other)
  }
  const holder = (key: 'emailKey' | 'usernameKey'): number | undefined =>
    holders[key].get(account[key])?.find(({ id }) => id !== account.id)?.id
  const [emailTwin, usernameTwin] = [twin('emailKey'), twin('usernameKey')]
  const [emailHolder, usernameHolder] = [holder('emailKey'), holder('usernameKey')]
  return [
    (twin('id') || twin('externalId')) && 'another account has the same id',
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
