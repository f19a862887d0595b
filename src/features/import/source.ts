import type { DatabaseTarget } from '../../lib/database-url.ts'
import { type ForeignDatabase, ForeignDatabaseError, openForeign } from './foreign.ts'

/** One account as the other service stored it; every field may be invalid. */
export interface SourceRow {
  id: string | null
  email: string | null
  username: string | null
  hash: string | null
  /** Undefined if the service has no column `is_active`. */
  isActive: string | null | undefined
  /** Undefined if the service has no column `created_at`. */
  createdAt: string | null | undefined
  /** The other fields are those of a file. */
  emailVerified?: string | undefined
  name?: string | undefined
  locale?: string | undefined
  /** The number of the line in the file. An account of a file needs only an address. */
  line?: number
  /** Why the line cannot be read, as a sentence. */
  problem?: string | undefined
}

export interface Source {
  /** The name of the other service, by which Keyward tells its ids from those of others. */
  service: string
  rows: SourceRow[]
  /** The columns of the old table `users` that Keyward does not import. */
  ignoredColumns: string[]
}

const TABLE = 'users'
/**
 * The possible names of the column with the password hash: the first in services with SQLAlchemy, the second in
 * services with SQLModel.
 */
const hashColumns = ['hashed_password', 'hash_password']

/**
 * Reads the accounts of a FastAPI user service, ordered by id.
 * @throws ForeignDatabaseError when the database cannot be read or does not belong to a FastAPI user service
 */
export async function readSource(target: DatabaseTarget): Promise<Source> {
  const database = await openForeign(target)
  try {
    return await readAccounts(database)
  } finally {
    await database.close()
  }
}

async function readAccounts(database: ForeignDatabase): Promise<Source> {
  const columns = await database.columnsOf(TABLE)
  if (columns.includes('password_hash') && columns.includes('email_key'))
    throw new ForeignDatabaseError('This database already belongs to Keyward: set it as DATABASE_URL and start Keyward')
  const hash = hashColumns.find((name) => columns.includes(name))
  const missing = ['id', 'email', 'username'].filter((name) => !columns.includes(name))
  if (hash === undefined || missing.length > 0)
    throw new ForeignDatabaseError(
      'This is not the database of a FastAPI user service: it needs a table "users" with the columns id, email, username and hashed_password or hash_password',
    )
  const optional = ['is_active', 'created_at'].filter((name) => columns.includes(name))
  const wanted = ['id', 'email', 'username', hash, ...optional]
  const rows = await database.readTexts(TABLE, wanted)
  const at = (name: string) => wanted.indexOf(name)
  return {
    service: 'fastapi',
    rows: rows.map((row) => ({
      id: row[0] ?? null,
      email: row[1] ?? null,
      username: row[2] || null,
      hash: row[3] ?? null,
      isActive: row[at('is_active')],
      createdAt: row[at('created_at')],
    })),
    ignoredColumns: columns.filter((name) => !wanted.includes(name)),
  }
}
