import type { Clock } from '../../lib/clock.ts'
import type { DatabaseTarget } from '../../lib/database-url.ts'
import { normalizeName } from '../users/users.ts'
import { type ForeignDatabase, ForeignDatabaseError, openForeign } from './foreign.ts'
import { readValues } from './formats/format.ts'
import { findLayout, type Layout } from './layout.ts'

/** One account as the other service stored it; every field may be invalid. */
export interface SourceRow {
  /** Null in a file means that the account has none. */
  id: string | null
  email: string | null
  username: string | null
  hash: string | null
  /** Undefined if the service has no such column. */
  isActive: string | null | undefined
  /** Undefined if the service has no such column. */
  createdAt: string | null | undefined
  emailVerified?: string | undefined
  /** The following members are those of an export of Keyward. */
  emailVerifiedAt?: string | undefined
  externalId?: string | undefined
  externalSource?: string | undefined
  hashScheme?: string | undefined
  inactiveUntil?: string | undefined
  invitedAt?: string | undefined
  /** The names of the roles as a JSON array, or with spaces or commas between them. */
  roles?: string | undefined
  /**
   * The second factors: the secret or the URI of an authenticator app, or a JSON list of such; a JSON list of passkeys;
   * and the user handle of the passkeys. The guide's chapter "Moving in" describes them.
   */
  totp?: string | undefined
  passkeys?: string | undefined
  userHandle?: string | undefined
  /** Why a second factor of the account cannot be taken over, as a sentence. */
  factorProblem?: string | undefined
  name?: string | undefined
  locale?: string | undefined
  /** True when the other service gives the account rights. It has none in Keyward. */
  isPrivileged?: boolean
  /** The number of the line in the file. */
  line?: number
  /** Why the account cannot be imported, or why the line cannot be read, as a sentence. */
  problem?: string | undefined
}

/** The accounts of another service. */
export interface Source {
  /** The name of the other service, by which Keyward tells its ids from those of others. */
  readonly service: string
  /** True when an account may have no password. */
  readonly passwordless: boolean
  /** True when an account may have no id. */
  readonly idless: boolean
  /** The number of accounts; undefined when nobody has counted them. */
  readonly total: number | undefined
  /**
   * Reads all accounts in parts. Every call reads the same accounts in the same order.
   * @throws ForeignDatabaseError when the database or the file cannot be read
   */
  rows(): AsyncGenerator<SourceRow[]>
  /** The columns that Keyward does not import; complete when `rows` has been read. */
  ignoredColumns(): string[]
  close(): Promise<void>
}

export interface SourceOptions {
  /** True to import which addresses are verified. */
  trustVerified: boolean
  /** True to grant the roles that the accounts of a file have. */
  trustRoles?: boolean
  /** True to import accounts without their second factors. */
  withoutFactors?: boolean
  /** The name for `Source.service` instead of that of the format. */
  service?: string | undefined
}

export interface DatabaseOptions extends SourceOptions {
  clock: Clock
  /** The name of the format; undefined to find it by the tables. */
  format?: string | undefined
  /** The table with the accounts, if it has another name than usual. */
  table?: string | undefined
}

/**
 * Opens the database of another user service, whose accounts are read ordered by id.
 * @throws ForeignDatabaseError when the database cannot be read, or belongs to no service that Keyward knows
 */
export async function openSource(target: DatabaseTarget, options: DatabaseOptions): Promise<Source> {
  const database = await openForeign(target)
  try {
    const layout = await findLayout(database, options)
    if (options.trustVerified && layout.format.columns.verified === undefined)
      throw new ForeignDatabaseError(
        `--trust-verified has no meaning here: ${layout.format.title} does not store which addresses are verified`,
      )
    const total = await database.count(layout.table)
    return sourceOf(database, layout, { ...options, total })
  } catch (error) {
    await database.close()
    throw error
  }
}

const noFactors = { totp: undefined, passkeys: undefined, userHandle: undefined, factorProblem: undefined }

function sourceOf(
  database: ForeignDatabase,
  { format, fields, query, ignored, verifiedColumn }: Layout,
  { clock, trustVerified, withoutFactors, service = format.name, total }: DatabaseOptions & { total: number },
): Source {
  const now = clock.now()
  return {
    service,
    passwordless: format.passwordless,
    idless: false,
    total,
    async *rows() {
      for await (const part of database.readTexts(query))
        yield part.map((texts) => {
          const values: Partial<Record<(typeof fields)[number], string | null>> = {}
          for (const [at, field] of fields.entries()) values[field] = texts[at]
          const read = readValues(values)
          const row = format.refine?.(read, values, now) ?? read
          // What a person calls himself there may be longer than Keyward allows. It does not keep the account out.
          if (row.name !== undefined) row.name = normalizeName(row.name) ?? undefined
          if (!trustVerified) row.emailVerified = undefined
          return withoutFactors ? { ...row, ...noFactors } : row
        })
    },
    ignoredColumns: () => (trustVerified || !verifiedColumn ? ignored : [...ignored, verifiedColumn]),
    close: database.close,
  }
}
