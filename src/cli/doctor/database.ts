import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { retentionOf } from '../../config/parts.ts'
import type { DraftConfig } from '../../config/schema.ts'
import { createAudit } from '../../features/audit/audit.ts'
import { type Clock, MINUTE, rfc3339, SECOND } from '../../lib/clock.ts'
import { openDatabase } from '../../storage/database.ts'
import { databaseTime, findFaults, tryWrite } from '../../storage/inspect.ts'
import { describePending, embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import type { Driver, Store } from '../../storage/store.ts'
import { type CheckName, type Finding, ok, problem, problemOf, skipped, warning } from './finding.ts'

interface Opened {
  store: Store
  driver: Driver
}

/** The clocks may differ by this much, in milliseconds, before Keyward warns. */
const CLOCK_WARNING = 5 * SECOND
/** Links, codes and tokens expire at wrong times when the clocks differ by more than this. */
const CLOCK_PROBLEM = MINUTE

const AFTER_OPENING: readonly CheckName[] = ['integrity', 'migrations', 'writable', 'clock']
const OF_ROWS: readonly CheckName[] = ['data_keys', 'signing_keys', 'secret_key', 'first_admin']

/**
 * Checks the database of a configuration, and with it what is stored there. Opens the database as it is, also beside a
 * running server, and changes nothing in it.
 * @param withStore the checks that need a database with the current schema
 */
export async function checkDatabase(
  config: DraftConfig,
  clock: Clock,
  withStore: (store: Store) => Promise<Finding[]>,
): Promise<Finding[]> {
  const { DATABASE_URL: target } = config
  const rest = (message: string) => [...AFTER_OPENING, ...OF_ROWS].map((check) => skipped(check, message))
  if (target.dialect === 'sqlite' && !existsSync(target.path))
    return [missingFile(target.path), ...rest('There is no database yet.')]
  let opened: Opened
  try {
    opened = await openDatabase(config, { clock, schema: 'ignore', waitInside: true })
  } catch (error) {
    const fix = 'Correct DATABASE_URL, or the database itself.'
    return [problemOf('database', error, fix), ...rest('The database cannot be opened.')]
  }
  const { store, driver } = opened
  try {
    const migrations = await checkMigrations(opened)
    const isCurrent = migrations.verdict === 'ok'
    return [
      ok('database', `The database can be opened: ${target.shown}.`),
      await checkIntegrity(driver, config),
      migrations,
      await checkWrite(driver, config, isCurrent),
      await checkClock(opened, config, { clock, isCurrent }),
      ...(isCurrent ? await withStore(store) : OF_ROWS.map((check) => skipped(check, 'The schema is not current.'))),
    ]
  } finally {
    await store.close()
  }
}

function missingFile(path: string): Finding {
  const folder = dirname(path)
  const wrong = {
    subject: path,
    fix: `Create the folder ${folder}, owned by the user of the server, or correct DATABASE_URL.`,
  }
  if (!existsSync(folder)) return problem('database', { message: 'The folder of the file does not exist.', ...wrong })
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    return problemOf('database', error, wrong.fix)
  }
  const message = 'The file does not exist yet.'
  const fix = 'Start the server or run keyward migrate up, which creates it; or correct DATABASE_URL.'
  return warning('database', { subject: path, message, fix })
}

async function checkIntegrity(driver: Driver, { DATABASE_URL: target }: DraftConfig): Promise<Finding> {
  const fix = 'Stop the server, keep the damaged file and restore a backup.'
  try {
    const faults = await findFaults(driver, target)
    if (faults.length > 0)
      return problem('integrity', { message: `The file is damaged: ${faults[0]!.split('\n').at(-1)}.`, fix })
  } catch (error) {
    return problemOf('integrity', error, fix)
  }
  return ok(
    'integrity',
    target.dialect === 'sqlite'
      ? 'PRAGMA quick_check finds no fault in the file.'
      : 'The encoding of the database stores every character.',
  )
}

async function checkMigrations({ store, driver }: Opened): Promise<Finding> {
  const fix = 'Give Keyward a database of its own in DATABASE_URL.'
  try {
    const states = await migrationStates(driver, embeddedMigrations(store.dialect))
    const pending = describePending(states)
    if (pending === undefined) return ok('migrations', `All ${states.length} migrations are applied.`)
    return problem('migrations', {
      message: pending.replace(/[:.] (?:Create|Upgrade|create|upgrade) .*$/, '.'),
      fix: 'Run keyward migrate up, or start the server.',
    })
  } catch (error) {
    return problemOf('migrations', error, fix)
  }
}

async function checkWrite(driver: Driver, { DATABASE_URL }: DraftConfig, isCurrent: boolean): Promise<Finding> {
  try {
    await tryWrite(driver, DATABASE_URL, isCurrent)
    return ok('writable', 'The database took a write, which was rolled back.')
  } catch (error) {
    return problemOf('writable', error, 'Allow the user of DATABASE_URL to write.')
  }
}

/**
 * Compares the clock of this machine with the clock of PostgreSQL, and with the newest stored time: a time in the
 * future shows that a clock is or was wrong.
 */
async function checkClock(
  { store, driver }: Opened,
  config: DraftConfig,
  { clock, isCurrent }: { clock: Clock; isCurrent: boolean },
): Promise<Finding> {
  const fix = 'Set the clocks of both machines by NTP.'
  try {
    const before = clock.now()
    const theirs = await databaseTime(driver, config.DATABASE_URL)
    const now = clock.now()
    if (theirs !== undefined) {
      const apart = Math.max(0, before - theirs, theirs - now)
      const message = `The clocks of this machine and of PostgreSQL are ${Math.round(apart / SECOND)} seconds apart.`
      if (apart > CLOCK_PROBLEM) return problem('clock', { message, fix })
      if (apart > CLOCK_WARNING) return warning('clock', { message, fix })
    }
    const audit = createAudit({ store, clock, retention: retentionOf(config) })
    const [newest] = isCurrent ? await audit.list({ limit: 1 }) : []
    if (newest && newest.at > now + CLOCK_PROBLEM)
      return problem('clock', {
        message: `The newest audit event is of ${rfc3339(newest.at)}, and this machine has ${rfc3339(now)}.`,
        fix: 'Set the clock of every server by NTP; sessions and links of the wrong time end at wrong times.',
      })
    return ok('clock', theirs === undefined ? 'No stored time is in the future.' : 'The clocks agree.')
  } catch (error) {
    return problemOf('clock', error, fix)
  }
}
