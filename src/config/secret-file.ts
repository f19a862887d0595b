import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { systemReason } from '../lib/error-reasons.ts'

/**
 * The most bytes of a file that are read, more than any secret has. Otherwise Keyward would read a device such as
 * `/dev/zero` forever.
 */
const MOST = 64 * 1024

/**
 * Reads the file that a setting such as `SECRET_KEY_FILE` names, for example a secret of Docker or Kubernetes or a
 * credential of systemd. One line end at the end of the text is dropped, because editors add one.
 * @returns the text; otherwise a message such as "is empty", which follows the path in a sentence and never quotes the
 * content
 */
export function readSecretFile(path: string): { text: string } | { message: string } {
  let bytes: Uint8Array
  try {
    bytes = readStart(path, MOST + 1)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { message: `cannot be read: ${systemReason(code)} (${code})` }
  }
  if (bytes.length > MOST) return { message: `has more than ${MOST} bytes` }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '')
    return text.trim() === '' ? { message: 'is empty' } : { text }
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
