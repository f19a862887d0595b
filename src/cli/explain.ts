import { ConfigError } from '../config/problems.ts'
import { KeywardError } from '../errors.ts'
import { KeyringError } from '../features/secrets/secrets.ts'
import { UnknownHostError } from '../lib/host.ts'
import { errorFields } from '../lib/log.ts'
import { MigrationError } from '../storage/migrate.ts'
import { CommandError } from './context.ts'

/**
 * Returns the error message for the terminal. For a known reason the message is a sentence. For an unexpected error the
 * message has only the class, code and stack, because drivers put parameters into the error's own message.
 */
export function explain(error: unknown): string {
  const { error: name, error_code: code, errno, error_message: message, stack } = errorFields(error)
  const reason = databaseReason([code, errno]) ?? fileReason(error)
  if (reason !== undefined) return reason
  if (error instanceof KeywardError && error.errors)
    return error.errors.map(({ field, message }) => `${field}: ${message}`).join('\n')
  const ours = [CommandError, ConfigError, KeyringError, KeywardError, MigrationError, UnknownHostError]
  if (ours.some((known) => error instanceof known)) return (error as Error).message
  const codes = [code, errno].filter((known) => known !== undefined).join(', ')
  const unexpected = `Keyward stopped on an unexpected ${name}${codes === '' ? '' : ` (${codes})`}`
  return [message === undefined ? unexpected : `${unexpected}: ${message}`, stack].filter(Boolean).join('\n')
}

const FILE = 'The file in DATABASE_URL'
const SERVER = 'PostgreSQL at DATABASE_URL'

const reasons: readonly [codes: RegExp, sentence: string][] = [
  [/^SQLITE_NOTADB/, `${FILE} is not an SQLite database`],
  [/^SQLITE_CORRUPT/, `${FILE} is damaged; restore a backup`],
  [/^SQLITE_CANTOPEN/, `${FILE} cannot be opened`],
  [/^SQLITE_READONLY_DIRECTORY/, `${FILE} is in a folder without write permission`],
  [/^SQLITE_(READONLY|PERM)/, `${FILE} cannot be written`],
  [/^SQLITE_FULL/, `${FILE} cannot grow: the disk is full`],
  [/^SQLITE_IOERR/, `${FILE} cannot be read or written`],
  [/^SQLITE_(BUSY|LOCKED)/, `${FILE} is locked by another process; try again`],
  [/^28/, `${SERVER} refuses this user and password`],
  [/^3D000$/, `${SERVER} has no database of this name; create it first`],
  [/^42501$/, `${SERVER} does not allow this user to create tables; grant it CREATE on the schema`],
  [/^25006$/, `${SERVER} takes no writes: it is a standby, or this user is read-only; use the address of the primary`],
  [
    /^08P01$/,
    `${SERVER} is behind a pooler that refuses a parameter in the query of DATABASE_URL; remove it, or name it in the pooler's ignore_startup_parameters`,
  ],
  [/^3F000$/, `${SERVER} has no schema to create tables in; create the schema that search_path names`],
  [/^(22023|42704)$/, `${SERVER} does not take a parameter in the query of DATABASE_URL; correct or remove it`],
  [
    /^ERR_POSTGRES_CHANNEL_BINDING/,
    `${SERVER} is asked for channel_binding=require; use sslmode=verify-full, or remove it`,
  ],
  [/^(53|57P)/, `${SERVER} accepts no more connections at the moment, or is stopping`],
  [/^ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)|^ECONN/, `${SERVER} does not answer; is it running?`],
  [/ALTNAME|^HOSTNAME_MISMATCH/, `${SERVER} has a certificate for another host`],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)/, `${SERVER} has a certificate that is not valid today`],
  [
    /CERT|^UNABLE_TO_|^INVALID_(CA|PURPOSE)$/,
    `${SERVER} has a certificate that does not verify; name the file of its CA with sslrootcert`,
  ],
  [/^ERR_(POSTGRES_TLS|TLS|SSL)/, `${SERVER} does not agree on TLS`],
]

/** Looks up the code of the driver first, then the SQLSTATE, which the PostgreSQL driver puts in `errno`. */
function databaseReason(codes: unknown[]): string | undefined {
  for (const code of codes.map(String)) {
    const [, sentence] = reasons.find(([known]) => known.test(code)) ?? []
    if (sentence !== undefined) return `${sentence} (${code})`
  }
}

/**
 * Explains a system error about a file; undefined for any other error. The path may be shown, because it comes from the
 * configuration or the command line.
 */
function fileReason(error: unknown): string | undefined {
  const { code, path, syscall } = error as { code?: unknown; path?: unknown; syscall?: unknown }
  if (typeof path !== 'string' || typeof syscall !== 'string') return undefined
  const why = { ENOENT: 'there is no such file or folder', EACCES: 'no permission', EISDIR: 'it is a folder' }
  return `Cannot ${syscall} ${path}: ${why[code as keyof typeof why] ?? 'the system refuses it'} (${code})`
}
