import { ConfigError } from '../config/problems.ts'
import { KeywardError } from '../errors.ts'
import { TemplateError } from '../features/mail/mail.ts'
import { KeyringError } from '../features/secrets/secrets.ts'
import { databaseReason, systemReason } from '../lib/error-reasons.ts'
import { UnknownHostError } from '../lib/host.ts'
import { errorFields } from '../lib/log.ts'
import { LogoError } from '../pages/logo.ts'
import { BackupError } from '../storage/backup-error.ts'
import { CopyError } from '../storage/copy-error.ts'
import { MigrationError } from '../storage/migrate.ts'
import { CommandError } from './context.ts'

/**
 * Returns the text that the terminal shows for an error. For a known reason, the text is a sentence. For an unexpected
 * error, the text is the class, codes and stack, and for a database error also the message without its values. Other
 * messages are left out, because they may contain secrets.
 */
export function explain(error: unknown): string {
  const { error: name, error_code: code, errno, error_message: message, stack } = errorFields(error)
  const reason = databaseReason([code, errno]) ?? fileReason(error)
  if (reason !== undefined) return reason
  if (error instanceof KeywardError && error.errors)
    return error.errors.map(({ field, message }) => `${field}: ${message}`).join('\n')
  const ours = [
    BackupError,
    CommandError,
    ConfigError,
    CopyError,
    KeyringError,
    KeywardError,
    LogoError,
    MigrationError,
    UnknownHostError,
    TemplateError,
  ]
  if (ours.some((known) => error instanceof known)) return (error as Error).message
  const codes = [code, errno].filter((known) => known !== undefined).join(', ')
  const unexpected = `Keyward stopped on an unexpected ${name}${codes === '' ? '' : ` (${codes})`}`
  return [message === undefined ? unexpected : `${unexpected}: ${message}`, stack].filter(Boolean).join('\n')
}

/**
 * Explains an error of the system about a file; undefined for any other error. The path may be shown, because it comes
 * from the configuration or the command line.
 */
function fileReason(error: unknown): string | undefined {
  const { code, path, syscall } = error as { code?: unknown; path?: unknown; syscall?: unknown }
  if (typeof path !== 'string' || typeof syscall !== 'string') return undefined
  return `Cannot ${syscall} ${path}: ${systemReason(code)} (${code})`
}
