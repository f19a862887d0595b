import type { Clock } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { printable } from '../../lib/printable.ts'
import type { Roles } from '../roles/roles.ts'
import type { BulkKeys, Users } from '../users/users.ts'
import { type Entry, type Ledger, openLedger, type Problem, type State, type Totals } from './ledger.store.ts'
import { isMadeFor, type Reading, type ReadOptions, readAccount } from './read-account.ts'
import type { Source, SourceRow } from './source.ts'

export type { Problem } from './ledger.store.ts'

/** The decision about each account of a source. Close it: it is in a temporary file. */
export interface Plan extends Totals {
  /** The accounts that cannot be imported, each with the reasons: sentences that contain no address, name or hash. */
  problemRows(): Iterable<Problem>
  /** The numbers of the accounts that are not imported, from 0 and ascending, in the order of the source. */
  passedOver(): IterableIterator<number>
  close(): void
}

/** Gets the number of accounts that are done. The work goes on when the promise resolves. */
export type OnRows = (count: number) => MaybePromise<void>

export interface PlanNeeds {
  clock: Clock
  users: Pick<Users, 'findHolders' | 'list'>
  roles: Pick<Roles, 'names'>
  /** The RP ID of this Keyward, for passkeys that name none. */
  rpId: string
}

/**
 * Plans an import and changes nothing. When two accounts that were not imported before have the same id, address or
 * username, both are problems, because only a person can decide which account is the right one.
 * @param onRows gets the number of accounts that have been read
 */
export async function planImport(
  { clock, users, roles, rpId }: PlanNeeds,
  source: Source,
  onRows: OnRows = () => {},
): Promise<Plan> {
  const options: ReadOptions = { ...source, rpId, now: clock.now() }
  const ledger = openLedger()
  try {
    const isFirst = (await users.list({ after: 0, limit: 1 })).length === 0
    const names = new Set(await roles.names())
    let count = 0
    for await (const part of source.rows()) {
      const readings = part.map((row) => withUnknownRoles(readAccount(row, options), names))
      const holders = indexByKeys(isFirst ? [] : await users.findHolders(readings.flatMap(keysOf)))
      for (const [at, reading] of readings.entries()) ledger.add(entryOf(reading, part[at]!, holders))
      count += part.length
      await onRows(count)
    }
    ledger.findTwins(rowLabel)
    return planOf(ledger)
  } catch (error) {
    ledger.close()
    throw error
  }
}

/** Adds a reason for each role that Keyward does not have. */
function withUnknownRoles(reading: Reading, known: ReadonlySet<string>): Reading {
  for (const name of reading.roles)
    if (!known.has(name)) reading.reasons.push(`there is no role "${printable(name.slice(0, 64))}" in Keyward`)
  return reading
}

const planOf = (ledger: Ledger): Plan => ({
  ...ledger.totals(),
  problemRows: ledger.problems,
  passedOver: ledger.passedOver,
  close: ledger.close,
})

function entryOf(reading: Reading, row: SourceRow, holders: Index): Entry {
  const shown = (reading.line && row.username) || undefined
  const { state, conflicts } = judge(reading, holders)
  return { reading, shown, state, conflicts, isPrivileged: row.isPrivileged === true }
}

/** Decides about an account without regard to the other accounts of its source. */
export function judge(reading: Reading, holders: Index): { state: State; conflicts: string[] } {
  if (wasImported(reading, holders)) return { state: 'present', conflicts: [] }
  const conflicts = conflictsOf(reading, holders)
  return { state: reading.reasons.length + conflicts.length > 0 ? 'problem' : 'new', conflicts }
}

/**
 * Returns true when Keyward has the account from an earlier import. An external id alone tells this: only an import
 * stores one. An id does not, because Keyward assigns ids itself, so the address and the username must be the same, too.
 * An account without an id has nothing but these two.
 */
function wasImported({ account, reasons, isNameMade }: Reading, holders: Index): boolean {
  const { id, emailKey, usernameKey, externalId } = account
  if (externalId) return holders.externalId.has(externalKey(account))
  // An account whose id cannot be read is none without an id.
  if (id === undefined && reasons.length > 0) return false
  const holder = (id === undefined ? holders.emailKey.get(emailKey) : holders.id.get(id))?.[0]
  if (holder === undefined || holder.emailKey !== emailKey) return false
  return holder.usernameKey === usernameKey || (isNameMade && isMadeFor(holder.emailKey, holder.usernameKey))
}

/** The keys of an account. No user has the id 0, which stands for an id that the database is to assign. */
export function keysOf({ account }: Reading): BulkKeys[] {
  const { id = 0, emailKey, usernameKey, externalId = null, externalSource = null } = account
  return emailKey === undefined || usernameKey === undefined
    ? []
    : [{ id, emailKey, usernameKey, externalId, externalSource }]
}

/** The key under which an `Index` has the external id; undefined without one. */
const externalKey = ({ externalId, externalSource }: Partial<BulkKeys>): string | undefined =>
  externalId ? `${externalSource} ${externalId}` : undefined

/** Users of Keyward by each of their keys. */
export type Index = Record<'id' | 'externalId' | 'emailKey' | 'usernameKey', Map<unknown, BulkKeys[]>>

export const indexByKeys = (holders: readonly BulkKeys[]): Index => ({
  id: Map.groupBy(holders, ({ id }) => id),
  externalId: Map.groupBy(holders, externalKey),
  emailKey: Map.groupBy(holders, ({ emailKey }) => emailKey),
  usernameKey: Map.groupBy(holders, ({ usernameKey }) => usernameKey),
})

/** Returns a sentence for each id, address or username that another account has in Keyward. */
function conflictsOf({ account }: Reading, holders: Index): string[] {
  const holder = (key: 'emailKey' | 'usernameKey'): number | undefined =>
    holders[key].get(account[key])?.find(({ id }) => id !== account.id)?.id
  const [emailHolder, usernameHolder] = [holder('emailKey'), holder('usernameKey')]
  return [
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
