import { readSmallFile } from '../lib/small-file.ts'

/** The most bytes of a file that are read, more than any secret has. */
const MOST = 64 * 1024

/**
 * Reads the file that a setting such as `SECRET_KEY_FILE` names, for example a secret of Docker or Kubernetes or a
 * credential of systemd. One line end at the end of the text is dropped, because editors add one.
 * @returns the text; otherwise a message such as "is empty", which follows the path in a sentence and never quotes the
 * content
 */
export function readSecretFile(path: string): { text: string } | { message: string } {
  // A shell passes `<(command)` as a pipe.
  const read = readSmallFile(path, MOST, { pipe: 'wait' })
  if ('message' in read) return read
  const text = read.text.replace(/\r?\n$/, '')
  return text.trim() === '' ? { message: 'is empty' } : { text }
}
