import { ConfigError } from '../config/problems.ts'
import { KeywardError } from '../errors.ts'
import { KeyringError } from '../features/signing-keys/signing-keys.ts'
import { errorFields } from '../lib/log.ts'
import { MigrationError } from '../storage/migrate.ts'
import { CommandError } from './context.ts'

/**
 * The error message for the terminal: one clear sentence where the reason is known. An unexpected error shows its class,
 * code and place only, since drivers put parameters into their messages.
 */
export function explain(error: unknown): string {
  const { error: name, error_code: code, errno, stack } = errorFields(error)
  const reason = databaseReason(String(code ?? ''), String(errno ?? '')) ?? fileReason(error)
  if (reason !== undefined) return reason
  const ours = [CommandError, ConfigError, KeyringError, KeywardError, MigrationError]
  if (error instanceof KeywardError && error.errors)
    return error.errors.map(({ field, message }) => `${field}: ${message}`).join('\n')
  if (ours.some((known) => error instanceof known)) return (error as Error).message
  return [`Keyward stopped on an unexpected ${name}${code === undefined ? '' : ` (${code})`}`, stack]
    .filter(Boolean)
    .join('\n')
}

const fileReasons: readonly [codes: RegExp, sentence: string][] = [
  [/^SQLITE_NOTADB/, 'is not an SQLite database'],
  [/^SQLITE_CORRUPT/, 'is damaged; restore a backup'],
  [/^SQLITE_CANTOPEN/, 'cannot be opened'],
  [/^SQLITE_READONLY_DIRECTORY/, 'is in a folder that cannot be written'],
  [/^SQLITE_(READONLY|PERM)/, 'cannot be written'],
  [/^SQLITE_FULL/, 'cannot grow: the disk is full'],
  [/^SQLITE_IOERR/, 'cannot be read or written'],
  [/^SQLITE_(BUSY|LOCKED)/, 'is locked by another process; try again'],
]

const serverReasons: readonly [codes: RegExp, sentence: string][] = [
  [/^28/, 'refuses this user and password'],
  [/^3D000$/, 'has no database of this name; create it first'],
  [/^(42501|25006)$/, 'does not let this user make tables; grant it CREATE on the schema'],
  [/^(53|57P)/, 'accepts no more connections at the moment, or is stopping'],
  [/^ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)|^ECONN|^ENOTFOUND/, 'does not answer; is it running?'],
  [/^ERR_POSTGRES_TLS/, 'does not agree on TLS'],
]

function databaseReason(code: string, state: string): string | undefined {
  const file = fileReasons.find(([codes]) => codes.test(code))?.[1]
  if (file !== undefined) return `The file that DATABASE_URL names ${file} (${code})`
  for (const word of [state, code]) {
    const server = serverReasons.find(([codes]) => codes.test(word))?.[1]
    if (server !== undefined) return `PostgreSQL at DATABASE_URL ${server} (${word})`
  }
}

/** The operating system's reason for a file; its path comes from the configuration or the command line. */
function fileReason(error: unknown): string | undefined {
  const { code, path, syscall } = error as { code?: unknown; path?: unknown; syscall?: unknown }
  if (typeof path !== 'string' || typeof syscall !== 'string') return undefined
  const why = { ENOENT: 'there is no such file or folder', EACCES: 'no permission', EISDIR: 'it is a folder' }
  return `Cannot ${syscall} ${path}: ${why[code as keyof typeof why] ?? 'the system refuses'} (${code})`
}
