import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { systemReason } from './error-reasons.ts'

/**
 * Reads a text file of at most `most` bytes. A larger file is not read to its end: it may be a device such as
 * `/dev/zero`.
 * @returns the text; otherwise a message such as "is not UTF-8 text", which follows the path in a sentence and never
 *   quotes the content
 */
export function readSmallFile(path: string, most: number): { text: string } | { message: string } {
  let bytes: Uint8Array
  try {
    bytes = readStart(path, most + 1)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { message: `cannot be read: ${systemReason(code)} (${code})` }
  }
  if (bytes.length > most) return { message: `has more than ${most} bytes` }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { message: 'is not UTF-8 text' }
  }
}

function readStart(path: string, length: number): Uint8Array {
  const file = openSync(path, 'r')
  try {
    if (fstatSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    const bytes = new Uint8Array(length)
    let filled = 0
    for (let read = -1; read !== 0 && filled < length; filled += read)
      read = readSync(file, bytes, filled, length - filled, null)
    return bytes.subarray(0, filled)
  } finally {
    closeSync(file)
  }
}
