import { expect } from 'bun:test'

interface Line {
  level: string
  event: string
  [field: string]: unknown
}

/**
 * The lines of a server's log, each a JSON object: an uncaught error would be plain text. Checks that none reports an
 * internal error, and that none contains a password, a hash, a token, an address or a piece of SQL.
 */
export function expectCleanLog(output: string, secrets: readonly string[] = []): Line[] {
  // A kill may cut the last line.
  const whole = output.slice(0, output.lastIndexOf('\n') + 1)
  const lines = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((text) => {
      expect(text).toStartWith('{"time":')
      return JSON.parse(text) as Line
    })
  expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  // One of some thousand random request ids begins with the letters of a token, but has not the two dots of one.
  const told = whole
    .replaceAll(/"request_id":"[\w-]{12}\.[0-9a-z]+"/g, '')
    // With `--dev`, a mail is logged whole instead of sent.
    .replaceAll(/^.*"event":"mail","to":.*$/gm, '')
  for (const forbidden of [/\$2[aby]\$/, /kwr_/, /eyJ/, /secret [0-9]/, /@example/, /\b(INSERT|UPDATE|SELECT) /i])
    expect(told).not.toMatch(forbidden)
  for (const secret of secrets) expect(whole).not.toContain(secret)
  return lines
}
