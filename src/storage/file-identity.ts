import { statSync } from 'node:fs'

/** What `/readyz` and the log say when the path no longer leads to the open file. */
export const FILE_GONE = 'the database file was removed or replaced'

class FileGoneError extends Error {
  readonly code = 'DATABASE_FILE_GONE'
}

/** Returns true for the error of `FileIdentity.check`, and for a refusal with this error as its cause. */
export const isFileGone = (error: unknown): boolean =>
  error instanceof FileGoneError || (error instanceof Error && error.cause instanceof FileGoneError)

export interface FileIdentity {
  /** @throws an error for `isFileGone` while the path does not lead to the files that were opened */
  check(): void
}

/**
 * Remembers to which files `path` and its write-ahead log lead. An open file stays writable after its removal, but the
 * next start does not find the rows that were written since. A file that is moved back is accepted again.
 * @param onGone is called by the first check that fails, and not by those that follow until one succeeds
 */
export function rememberFile(path: string, onGone: () => void): FileIdentity {
  if (path === ':memory:') return { check() {} }
  const opened = identityOf(path)
  let openedLog: string | undefined
  let gone: FileGoneError | undefined
  return {
    check() {
      // SQLite creates the log at the first use of the file, and keeps it until the last connection is closed.
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

/** Device and inode; undefined when there is no file. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  return found && `${found.dev}:${found.ino}`
}
