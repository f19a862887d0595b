import { renameSync, rmSync, statSync } from 'node:fs'
import type { Log } from '../lib/log.ts'

/** What `/readyz` and the log say when the path no longer leads to the open file. */
export const FILE_GONE = 'the database file was removed or replaced'

class FileGoneError extends Error {
  readonly code = 'DATABASE_FILE_GONE'
}

/** Returns true when a write was refused because the database file was removed or replaced. */
export const isFileGone = (error: unknown): boolean =>
  error instanceof FileGoneError || (error instanceof Error && error.cause instanceof FileGoneError)

export interface FileIdentity {
  /** @throws the same error at each call while the path does not lead to the file that was opened */
  check(): void
}

/**
 * Remembers which file `path` leads to. An open file stays writable after its removal, but those rows are lost at the
 * next start.
 *
 * A file that is back is accepted again. A replacement is final: the write-ahead log of the open file is then renamed to
 * `-wal.replaced`, because the next start would apply it to the new file and undo a restore.
 */
export function rememberFile(path: string, log: Pick<Log, 'error'> | undefined): FileIdentity {
  if (path === ':memory:') return { check() {} }
  const opened = identityOf(path)
  let openedLog: string | undefined
  let gone: FileGoneError | undefined
  let final = false
  return {
    check() {
      if (final) throw gone
      const now = identityOf(path)
      if (now === opened) {
        // SQLite keeps this file from the first write until the last connection is closed.
        openedLog ??= identityOf(`${path}-wal`)
        gone = undefined
        return
      }
      if (gone === undefined) log?.error('database_file_gone', { path, reason: FILE_GONE })
      gone ??= new FileGoneError(FILE_GONE)
      if (now !== undefined) {
        final = true
        setLogAside(path, openedLog)
      }
      throw gone
    },
  }
}

function setLogAside(path: string, openedLog: string | undefined): void {
  if (openedLog === undefined || identityOf(`${path}-wal`) !== openedLog) return
  try {
    renameSync(`${path}-wal`, `${path}-wal.replaced`)
    rmSync(`${path}-shm`, { force: true })
  } catch {
    // The folder is read-only. The guide says to delete both files.
  }
}

/** Device and inode; undefined when there is no file. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  return found && `${found.dev}:${found.ino}`
}
