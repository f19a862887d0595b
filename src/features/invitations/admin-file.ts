import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { readSmallFile } from '../../lib/small-file.ts'

const MOST = 4096

/** The text of the file; undefined when it cannot be read or is not Keyward's. */
function read(path: string): string | undefined {
  const file = readSmallFile(path, MOST, { pipe: 'refuse' })
  return 'text' in file && file.text.startsWith('Keyward: ') ? file.text : undefined
}

/**
 * Writes a file that only its owner can read, unless it has this text already. The file at `path` is never incomplete.
 * @param draft a word for the name of the temporary file
 * @returns false when nothing was written
 * @throws the error of the system
 */
export function keepFile(path: string, text: string, draft: string): boolean {
  if (read(path) === text) return false
  const temporary = `${path}.${draft}`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
    renameSync(temporary, path)
  } catch (error) {
    unlinkSync(temporary)
    throw error
  } finally {
    closeSync(file)
  }
  return true
}

/** Removes the file, if it is Keyward's. @throws the error of the system */
export function removeFile(path: string): void {
  if (read(path) === undefined) return
  try {
    unlinkSync(path)
  } catch (error) {
    // Another process has just removed it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
