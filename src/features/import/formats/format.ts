import type { EpochMs } from '../../../lib/clock.ts'
import type { SourceRow } from '../source.ts'

/** What an import reads of an account. Each service has some of these. */
export type Field =
  | 'id'
  | 'email'
  | 'username'
  | 'hash'
  | 'isActive'
  | 'createdAt'
  | 'verified'
  | 'name'
  | 'firstName'
  | 'lastName'
  | 'superuser'
  | 'staff'
  | 'role'
  | 'metadata'
  | 'banned'
  | 'bannedUntil'
  | 'deletedAt'
  | 'anonymous'
  | 'hasFactor'
  | FactorField

/** The second factors of an account: the rows of another table, as a JSON list of objects. */
export type FactorField = 'factorRows' | 'passkeyRows'

/** The values of an account as text; undefined where the table has no such column. */
export type Values = Readonly<Partial<Record<Field, string | null>>>

/** How a service stores its accounts. */
export interface Format {
  /** The value of `--format`, and by default the name of the service in `users.external_source`. */
  readonly name: string
  /** The name of the service for people. */
  readonly title: string
  readonly dialects: readonly ('sqlite' | 'postgresql')[]
  /** The names that the table with the accounts can have, the usual one first; a schema is before a dot. */
  readonly tables: readonly string[]
  /** The names that the column of each field can have. */
  readonly columns: Readonly<Partial<Record<Field, readonly string[]>>>
  /** The fields without which a table is not that of the service. */
  readonly required: readonly Field[]
  /** Other columns that the table of the service has; they are not read. */
  readonly marks?: readonly string[]
  /** The table with the passwords, for a service that keeps them apart. */
  readonly passwords?: PasswordTable
  /** The tables with second factors. A database may lack each of them. */
  readonly factors?: readonly FactorTable[]
  /** True when an account may have no password, because its user logs in by mail or at another provider. */
  readonly passwordless: boolean
  /** Changes what `readValues` made of an account. */
  readonly refine?: (row: SourceRow, values: Values, now: EpochMs) => SourceRow
}

export interface FactorTable {
  readonly field: FactorField
  readonly tables: readonly string[]
  /** The column with the id of the account. */
  readonly user: readonly string[]
  /** The names that the column of each member can have. A member whose column is missing is left out. */
  readonly members: Readonly<Record<string, readonly string[]>>
  /** The member by which the list is ordered. */
  readonly orderBy: string
}

export interface PasswordTable {
  readonly tables: readonly string[]
  readonly user: readonly string[]
  readonly kind: readonly string[]
  /** The value of the column `kind` in a row with a password. */
  readonly kindOfPassword: string
  readonly hash: readonly string[]
}

/** Makes an account of its values. An empty text counts as missing, where a field can be missing. */
export function readValues(values: Values): SourceRow {
  const { id, email, username, hash, isActive, createdAt, verified, name, superuser, staff } = values
  return {
    id: id ?? null,
    email: email ?? null,
    username: username || null,
    hash: hash || null,
    isActive,
    createdAt,
    emailVerified: verified === undefined ? undefined : (verified ?? 'false'),
    name: name || undefined,
    isPrivileged: isTrue(superuser) || isTrue(staff),
  }
}

/** Reads the rows of a factor table. @returns an empty list for a text that is no such list */
export function rowsIn(text: string | null | undefined): Readonly<Record<string, unknown>>[] {
  try {
    const rows: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(rows) ? rows.filter((row) => typeof row === 'object' && row !== null) : []
  } catch {
    return []
  }
}

/** Returns true for the truth value of a database as text. */
export const isTrue = (text: string | null | undefined): boolean => /^(1|t|true)$/i.test(text ?? '')
