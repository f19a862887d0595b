import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { systemReason } from './error-reasons.ts'

/**
 * Reads a text file of at most `most` bytes. A larger file is not read to its end: it may be a device such as
 * `/dev/zero`.
 * @param options `pipe: 'wait'` waits until the writer of a named pipe has written everything; `'refuse'` never waits
 * @returns the text; otherwise a message such as "is not UTF-8 text", which follows the path in a sentence and never
 *   quotes the content
 */
export function readSmallFile(
  path: string,
  most: number,
  { pipe }: { pipe: 'wait' | 'refuse' },
): { text: string } | { message: string } {
  const file = readBytes(path, most, pipe)
  if ('message' in file) return file
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.bytes) }
  } catch {
    return { message: 'is not UTF-8 text' }
  }
}

/** Reads a file of at most `most` bytes, as `readSmallFile` does. It does not wait for a named pipe. */
export const readSmallBytes = (path: string, most: number): FileBytes => readBytes(path, most, 'refuse')

type FileBytes = { bytes: Uint8Array<ArrayBuffer> } | { message: string }

function readBytes(path: string, most: number, pipe: 'wait' | 'refuse'): FileBytes {
  let bytes: Uint8Array<ArrayBuffer> | undefined
  try {
    bytes = readStart(path, most + 1, pipe)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { message: `cannot be read: ${systemReason(code)} (${code})` }
  }
  if (bytes === undefined) return { message: 'is a named pipe; name a file' }
  return bytes.length > most ? { message: `has more than ${most} bytes` } : { bytes }
}

/** @returns undefined for a named pipe that is refused */
function readStart(path: string, length: number, pipe: 'wait' | 'refuse'): Uint8Array<ArrayBuffer> | undefined {
  // Without O_NONBLOCK, the opening of a named pipe waits for a writer.
  const file = openSync(path, pipe === 'wait' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const kind = fstatSync(file)
    if (kind.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    if (pipe === 'refuse' && kind.isFIFO()) return undefined
    const bytes = new Uint8Array(length)
    let filled = 0
    for (let read = -1; read !== 0 && filled < length; filled += read)
      read = readSync(file, bytes, filled, length - filled, null)
    return bytes.subarray(0, filled)
  } finally {
    closeSync(file)
  }
}
