import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { EpochMs } from '../../lib/clock.ts'
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

/** The name of a draft ends with a dot and an id of `randomId`. */
const DRAFT = /^\.[\w-]{22}$/

/** Removes the drafts that a kill left behind before `before`: they may have the link. @throws the error of the system */
export function removeDrafts(path: string, before: EpochMs): void {
  const [folder, name] = [dirname(path), basename(path)]
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(name) || !DRAFT.test(entry.slice(name.length))) continue
    const found = statSync(join(folder, entry), { throwIfNoEntry: false })
    if (found?.isFile() && found.mtimeMs < before) rmSync(join(folder, entry), { force: true })
  }
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
