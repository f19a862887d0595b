import { jsonFlag } from './arguments.ts'
import { type CommandContext, CommandError, ExitCode } from './context.ts'
import { settingsArgs } from './settings.ts'

/* What the commands `backup` and `restore` share. */

/** The exit code for a PostgreSQL database, which its own programs back up and restore. */
const OTHER_PROGRAM = 3

export const backupArgs = { json: jsonFlag, ...settingsArgs }

/**
 * Prints the command line of PostgreSQL's own program.
 * @throws ExitCode with `OTHER_PROGRAM`, always, because nothing was backed up or restored
 */
export function hintForPostgres(
  { print, printError }: CommandContext,
  { line, advice, json }: { line: string; advice: string; json: boolean },
): never {
  print(`${json ? JSON.stringify({ run: line }) : line}\n`)
  printError(
    `Nothing was done: PostgreSQL has its own programs. Run this line, with the password of DATABASE_URL in PGPASSWORD or in ~/.pgpass. ${advice}\n`,
  )
  throw new ExitCode(OTHER_PROGRAM)
}

/** @throws CommandError for a database in memory */
export function requireSqliteFile({ path }: { path: string }): string {
  if (path === ':memory:') throw new CommandError('DATABASE_URL is a database in memory, which has no file')
  return path
}

/** Returns a number of bytes for people, such as `1.4 MiB`. */
export function sizeOf(bytes: number): string {
  const kib = bytes / 1024
  return kib < 1024 ? `${Math.ceil(kib)} KiB` : `${(kib / 1024).toFixed(1)} MiB`
}
