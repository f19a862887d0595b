import { printable, printableLines } from '../lib/printable.ts'
import type { Colour, CommandContext, ProcessContext } from './context.ts'

const CODES: Record<Colour, string> = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' }
const CLEAR_LINE = '\r\x1b[K'

/**
 * Makes the context of a command out of its process. Replaces control characters in everything that a command prints.
 * Otherwise a username, the answer of a server or an error could control the terminal. Log lines escape control
 * characters themselves.
 */
export function commandContext(base: ProcessContext): CommandContext {
  let paints: boolean | undefined
  let showsStatus = false
  const clearStatus = () => {
    if (showsStatus) base.printError(CLEAR_LINE)
    showsStatus = false
  }
  return {
    ...base,
    print(text, colour) {
      clearStatus()
      if (colour !== undefined) paints ??= base.printsToTerminal() && allowsColour(base.env)
      const safe = printableLines(text)
      base.print(colour !== undefined && paints ? `\x1b[${CODES[colour]}m${safe}\x1b[0m` : safe)
    },
    printError(text) {
      clearStatus()
      base.printError(printableLines(text))
    },
    showStatus(line) {
      const columns = base.errorColumns()
      if (columns === undefined) return
      clearStatus()
      if (line === '') return
      // A terminal may move to the next line after a character in the last column.
      base.printError(cut(printable(line), columns - 1))
      showsStatus = true
    },
  }
}

/** True when colours are wanted: NO_COLOR is absent or empty (no-color.org), and the terminal can show colours. */
const allowsColour = ({ NO_COLOR, TERM }: ProcessContext['env']): boolean => !NO_COLOR && TERM !== 'dumb'

/** Returns as much of a line as fits into `columns`. */
function cut(line: string, columns: number): string {
  let width = 0
  let end = 0
  for (const character of line) {
    width += Bun.stringWidth(character)
    if (width > columns) break
    end += character.length
  }
  return line.slice(0, end)
}
