import { statSync } from 'node:fs'

/** The reason in `/readyz` and in the log when the path of the database no longer leads to the opened file. */
export const FILE_GONE = 'the database file was removed or replaced'

class FileGoneError extends Error {
  readonly code = 'DATABASE_FILE_GONE'
}

/** Returns true for an error of `FileIdentity.check`, and for an error whose `cause` is such an error. */
export const isFileGone = (error: unknown): boolean =>
  error instanceof FileGoneError || (error instanceof Error && error.cause instanceof FileGoneError)

export interface FileIdentity {
  /** @throws an error that `isFileGone` recognizes, while the path does not lead to the opened file and log */
  check(): void
}

/**
 * Records which file is at `path`, and which file is its write-ahead log. `check` detects that someone removed or
 * replaced one of these files. An open file stays writable after its removal, but the next start does not find the rows
 * that are then written. `check` accepts a file that was moved back. For `:memory:`, `check` always succeeds.
 * @param onGone is called by the first check that fails, and again only when a check fails after a successful one
 */
export function rememberFile(path: string, onGone: () => void): FileIdentity {
  if (path === ':memory:') return { check() {} }
  const opened = identityOf(path)
  let openedLog: string | undefined
  let gone: FileGoneError | undefined
  return {
    check() {
      // SQLite creates the log when the file is first used, so the first check that finds a log records this log.
      openedLog ??= identityOf(`${path}-wal`)
      if (identityOf(path) === opened && (openedLog === undefined || identityOf(`${path}-wal`) === openedLog)) {
        gone = undefined
        return
      }
      if (gone === undefined) {
        gone = new FileGoneError(FILE_GONE)
        onGone()
      }
      throw gone
    },
  }
}

/** Returns the device and inode numbers, which identify a file; undefined when there is no file. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  return found && `${found.dev}:${found.ino}`
}
