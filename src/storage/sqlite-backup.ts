import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { HOUR, systemClock } from '../lib/clock.ts'
import { toBase64Url } from '../lib/encoding.ts'
import { systemRandom } from '../lib/random.ts'
import { BackupError } from './backup-error.ts'
import { openStorage } from './database.ts'
import { embeddedMigrations, type MigrationState, migrationStates } from './migrate.ts'
import { closeConnection, flush, openFile, writeCopy } from './sqlite-file.ts'

/** A backup that was written or restored, after it passed all checks. */
export interface CheckedFile {
  bytes: number
  /** The name of the last migration that is applied in the file. */
  migration: string
  /** How many migrations of this executable are not applied in the file. */
  pending: number
}

/** The files that SQLite keeps beside a database in use. Each belongs to exactly one database file. */
const COMPANIONS = ['-wal', '-shm', '-journal']

const FILE_OPTIONS = {
  synchronous: 'FULL',
  cacheMb: 16,
  inspect: true,
  mustExist: true,
  clock: systemClock,
  random: systemRandom,
} as const

/**
 * Copies the database `path` to the new file `backup`, also while servers use the database. The copy has every row that
 * was committed before the call. It gets its name only after it has passed all checks of `checkFile`.
 * @throws BackupError when `backup` exists or the copy is damaged; MigrationError when there is no database, or when it
 * is not one of this version or an older one of Keyward; the error of the system or of SQLite
 */
export const backUpFile = (path: string, backup: string): Promise<CheckedFile> =>
  publish({ name: backup, source: path }, (partial) => {
    const { writer, openReader } = openFile({ ...FILE_OPTIONS, path })
    try {
      const reader = openReader()
      try {
        writeCopy(reader, partial)
      } finally {
        closeConnection(reader)
      }
    } finally {
      closeConnection(writer)
    }
  })

/**
 * Copies the file `backup` to the database `path`, which must not exist. The database gets its name only after the copy
 * has passed all checks of `checkFile`. `backup` is only read.
 * @throws BackupError when `path` or a write-ahead log beside it exists, or when `backup` is missing, damaged or in use;
 * MigrationError when `backup` is not a database of this version or an older one of Keyward; the error of the system
 */
export async function restoreFile(backup: string, path: string): Promise<CheckedFile> {
  const left = [path, ...COMPANIONS.map((end) => `${path}${end}`)].filter((file) => existsSync(file))
  if (left.length > 0)
    throw new BackupError(
      `${left.join(', ')} ${left.length === 1 ? 'exists' : 'exist'}; a restore replaces no database, and mixes with no other. Stop all processes of Keyward, then move ${path}, ${path}-wal and ${path}-shm away together. Nothing was changed.`,
    )
  if (!existsSync(backup)) throw new BackupError(`There is no file ${backup}`)
  const used = COMPANIONS.map((end) => `${backup}${end}`).find((file) => (sizeOf(file) ?? 0) > 0)
  if (used !== undefined)
    throw new BackupError(
      `${used} exists, so ${backup} is a database in use and may lack the newest rows. Make a backup of it with "keyward backup". Nothing was changed.`,
    )
  return publish({ name: path, source: backup }, (partial) => copyBytes(backup, partial))
}

/**
 * Lets `write` make a file under another name, checks the file, and gives it the name `name` unless that name is taken.
 * Nothing is left after a failure.
 * @param of.source the file that is copied, for messages
 */
async function publish(
  { name, source }: { name: string; source: string },
  write: (partial: string) => void,
): Promise<CheckedFile> {
  if (existsSync(name)) throw taken(name)
  // Two commands at once do not write to the same file.
  const partial = `${name}.keyward-${toBase64Url(systemRandom.bytes(6))}.partial`
  removeStale(dirname(name))
  try {
    write(partial)
    const checked = await checkFile(partial, source)
    flush(partial)
    nameFile(partial, name)
    flush(dirname(name))
    return checked
  } finally {
    for (const end of ['', ...COMPANIONS]) rmSync(`${partial}${end}`, { force: true })
  }
}

/** The names of files that `publish` makes, and of the companions of these files. */
const PARTIAL = /\.keyward-[\w-]{8}\.partial(?:-wal|-shm|-journal)?$/

/** How long a file that is being written stays unchanged at most, in milliseconds. */
const STALE = HOUR

/**
 * Removes the files of killed commands from a folder. A command whose file is removed although it still runs fails, and
 * gives no file a name.
 */
function removeStale(folder: string): void {
  const before = systemClock.now() - STALE
  // The command itself reports what is wrong with the folder.
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => PARTIAL.test(name)) : []
  for (const path of names.map((name) => join(folder, name)))
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) rmSync(path, { force: true })
}

const taken = (path: string): BackupError => new BackupError(`${path} exists already, and is not overwritten`)

/** Gives a file the name `path`. `linkSync` fails when `path` exists, so two commands at once do not replace a file. */
function nameFile(partial: string, path: string): void {
  try {
    linkSync(partial, path)
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST' || existsSync(path)) throw taken(path)
    // Some file systems have no hard links.
    renameSync(partial, path)
  }
}

/**
 * Checks a file that no other process uses: SQLite's own checks of the pages and indexes, the references between rows,
 * and the migrations.
 */
async function checkFile(path: string, source: string): Promise<CheckedFile> {
  checkRows(path, source)
  const states = await readMigrationStates(path)
  const applied = states.filter(({ appliedAt }) => appliedAt !== undefined)
  const last = applied.at(-1)
  if (last === undefined) throw new BackupError(`${source} is not a database of Keyward. Nothing was changed.`)
  return { bytes: sizeOf(path) ?? 0, migration: last.name, pending: states.length - applied.length }
}

function checkRows(path: string, source: string): void {
  const damage = (found: unknown) =>
    new BackupError(`${source} is damaged (${String(found).slice(0, 200)}). Nothing was changed.`)
  try {
    const { writer } = openFile({ ...FILE_OPTIONS, path })
    try {
      const [first] = writer.db.query('PRAGMA integrity_check(1)').values().flat()
      if (first !== 'ok') throw damage(first)
      const orphans = writer.db.query('PRAGMA foreign_key_check').values()
      if (orphans.length > 0) throw damage(`${orphans.length} rows refer to a row that is not there`)
    } finally {
      closeConnection(writer)
    }
  } catch (error) {
    const { code } = error as { code?: unknown }
    throw /^SQLITE_(CORRUPT|NOTADB)/.test(String(code)) ? damage(code) : error
  }
}

async function readMigrationStates(path: string): Promise<MigrationState[]> {
  const target = { dialect: 'sqlite', path, shown: path } as const
  const { store, driver } = await openStorage({ ...FILE_OPTIONS, target, poolSize: 1, waitInside: true })
  try {
    return await migrationStates(driver, embeddedMigrations('sqlite'))
  } finally {
    await store.close()
  }
}

/** Copies a file to the new file `to`, which only its owner can read. */
function copyBytes(from: string, to: string): void {
  const source = openSync(from, 'r')
  try {
    const target = openSync(to, 'wx', 0o600)
    try {
      const bytes = Buffer.alloc(1024 * 1024)
      for (let length = 1; length > 0; ) {
        length = readSync(source, bytes, 0, bytes.length, null)
        for (let done = 0; done < length; ) done += writeSync(target, bytes, done, length - done)
      }
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size
