import type { Clock, EpochMs } from '../lib/clock.ts'
import { toBase64Url } from '../lib/encoding.ts'
import { sha256 } from '../lib/hash.ts'
import { readMigrations } from './migrations.macro.ts' with { type: 'macro' }
import { newFileStatements } from './new-file.macro.ts' with { type: 'macro' }
import type { Driver, RunSql } from './store.ts'

/** Keyward cannot use the database as it is. `message` says why, and what the operator can do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

export interface Migration {
  name: string
  sql: string
}

export interface MigrationState extends Migration {
  /** When the migration was applied; undefined while the migration is pending. */
  appliedAt: EpochMs | undefined
}

const embedded = { sqlite: readMigrations('sqlite'), postgresql: readMigrations('postgresql') }

/** For a new SQLite file: these statements have the result of all `embedded.sqlite`. */
const newFile = newFileStatements()

/** Returns the migrations inside this executable, in the order in which `migrate` applies them. */
export const embeddedMigrations = (dialect: 'sqlite' | 'postgresql'): readonly Migration[] => embedded[dialect]

/** The SHA-256 of a migration in base64url, the format of the column `keyward_migrations.sha256`. */
const fingerprint = (migration: Migration): string => toBase64Url(sha256(migration.sql))

/**
 * Upgrades the database to this executable's schema, in one transaction under a lock. The lock makes concurrent starts
 * safe. An SQLite file that Keyward has migrated before is first copied to another file.
 * @returns the names of the migrations that this call applied; `copy` is the path of the copy, or undefined without one
 * @throws MigrationError as `migrationStates`; the driver's error when a statement fails, and then nothing is applied
 */
export async function migrate(
  driver: Driver,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<{ applied: string[]; copy: string | undefined }> {
  const before = await migrationStates(driver, migrations)
  if (pendingOf(before).length === 0) return { applied: [], copy: undefined }
  return driver.runAlone(async ({ run, copyAside }) => {
    await run(
      'CREATE TABLE IF NOT EXISTS keyward_migrations (name text PRIMARY KEY NOT NULL, sha256 text NOT NULL, applied_at bigint NOT NULL)',
    )
    // Another process may have migrated the database before this process got the lock.
    const states = compare(migrations, await readApplied(run))
    const pending = pendingOf(states)
    const copy = pending[0] && pending.length < states.length ? await copyAside(pending[0].name) : undefined
    const isNewFile = migrations === embedded.sqlite && pending.length === migrations.length
    for (const statement of isNewFile ? newFile : pending.flatMap(statementsOf)) await run(statement)
    // PostgreSQL reads $1 as the number of a parameter. SQLite reads $1 as a name, and binds the names in order.
    for (const migration of pending)
      await run('INSERT INTO keyward_migrations (name, sha256, applied_at) VALUES ($1, $2, $3)', [
        migration.name,
        fingerprint(migration),
        clock.now(),
      ])
    return { applied: pending.map((one) => one.name), copy }
  })
}

const statementsOf = ({ sql }: Migration): string[] => sql.split('--> statement-breakpoint')

const pendingOf = (states: readonly MigrationState[]) => states.filter((one) => one.appliedAt === undefined)

/**
 * Checks that all migrations are applied. Changes nothing.
 * @throws MigrationError when migrations are pending, and as `migrationStates`
 */
export async function requireCurrent(driver: Driver, migrations: readonly Migration[]): Promise<void> {
  const problem = describePending(await migrationStates(driver, migrations))
  if (problem !== undefined) throw new MigrationError(problem)
}

/** Returns a message for the terminal: the pending migrations and how to apply them; undefined when none is pending. */
export function describePending(states: readonly MigrationState[]): string | undefined {
  const names = pendingOf(states).map(({ name }) => name)
  if (names.length === 0) return undefined
  if (names.length === states.length) return `The database has no tables of Keyward yet: ${wayOut('create them')}`
  const count = names.length === 1 ? 'a migration is' : `${names.length} migrations are`
  return `The database is not up to date: ${count} pending (${names.join(', ')}). ${wayOut('Upgrade it')}`
}

const wayOut = (verb: string) => `${verb} with "keyward migrate up", or start the server.`

/**
 * Reads which of `migrations` are applied, and since when. Changes nothing.
 * @throws MigrationError when another program made the tables, when a newer version of Keyward migrated the database,
 * or when the SQL of an applied migration differs from the SQL in `migrations`
 */
export async function migrationStates(driver: Driver, migrations: readonly Migration[]): Promise<MigrationState[]> {
  const refusal = await findForeign(driver, ['users', ...tablesOf(migrations)])
  // Another process may create all tables during these reads. `keyward_migrations` is read last: if it were read first,
  // this process could miss `keyward_migrations`, find the other tables, and refuse the database.
  const ours = (await driver.columnsOf('keyward_migrations')).length > 0
  if (ours) return compare(migrations, await readApplied(runnerOf(driver)))
  if (refusal) throw refusal
  return migrations.map((migration) => ({ ...migration, appliedAt: undefined }))
}

/** The names of the tables that the migrations create. Another program's database with such a table is refused. */
const tablesOf = (migrations: readonly Migration[]): Set<string> =>
  new Set(migrations.flatMap(({ sql }) => [...sql.matchAll(/^CREATE TABLE [`"](\w+)[`"]/gm)].map(([, name]) => name!)))

async function findForeign(driver: Driver, tables: Iterable<string>): Promise<MigrationError | undefined> {
  for (const table of tables) {
    const columns = await driver.columnsOf(table)
    if (table === 'users' && (columns.includes('hashed_password') || columns.includes('hash_password')))
      return new MigrationError(
        'This database belongs to a FastAPI user service. Keyward keeps it as it is: give Keyward a database of its own in DATABASE_URL, then import the users with: keyward import --from <the old DATABASE_URL>',
      )
    if (columns.length > 0)
      return new MigrationError(
        `This database has a table "${table}" that Keyward did not make. Give Keyward a database of its own in DATABASE_URL.`,
      )
  }
}

/** Reads the names of the pending migrations. Ignores migrations that a newer version of Keyward has applied. */
export async function pendingMigrations(driver: Driver, migrations: readonly Migration[]): Promise<string[]> {
  const applied = await readApplied(runnerOf(driver))
  return migrations.map(({ name }) => name).filter((name) => !applied.has(name))
}

const runnerOf =
  (driver: Driver): RunSql =>
  async (sql, params = []) =>
    (await driver.execute(sql, params)).rows

/** The applied migrations by name, sorted by name. */
type Applied = ReadonlyMap<string, { hash: string; appliedAt: EpochMs }>

async function readApplied(run: RunSql): Promise<Applied> {
  const rows = await run('SELECT name, sha256, applied_at FROM keyward_migrations ORDER BY name')
  return new Map(
    rows.map(([name, hash, appliedAt]) => [String(name), { hash: String(hash), appliedAt: Number(appliedAt) }]),
  )
}

function compare(migrations: readonly Migration[], applied: Applied): MigrationState[] {
  const unknown = [...applied.keys()].find((name) => !migrations.some((migration) => migration.name === name))
  if (unknown !== undefined)
    throw new MigrationError(
      `The database was migrated by a newer Keyward (it has "${unknown}"). Start that version or a newer one; to go back, restore the copy made before the upgrade.`,
    )
  return migrations.map((migration) => {
    const known = applied.get(migration.name)
    if (known && known.hash !== fingerprint(migration))
      throw new MigrationError(
        `The migration "${migration.name}" in this executable is not the one that made the database. Start the executable that made it, or restore a backup.`,
      )
    return { ...migration, appliedAt: known?.appliedAt }
  })
}
