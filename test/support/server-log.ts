import { expect } from 'bun:test'

interface Line {
  level: string
  event: string
  [field: string]: unknown
}

/**
 * The lines that a server wrote, each one a JSON object: what nobody caught would stand there as plain text. None says
 * that Keyward is wrong, and none holds a password, a hash, a token, an address or a piece of SQL.
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
  // Of some thousand random request ids one has the letters that a token begins with. A token is no such id: it has two dots.
  const told = whole.replaceAll(/"request_id":"[\w-]{12}\.[0-9a-z]+"/g, '')
  for (const forbidden of [/\$2[aby]\$/, /kwr_/, /eyJ/, /secret [0-9]/, /@example/, /\b(INSERT|UPDATE|SELECT) /i])
    expect(told).not.toMatch(forbidden)
  for (const secret of secrets) expect(whole).not.toContain(secret)
  return lines
}
