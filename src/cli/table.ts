import { rfc3339 } from '../lib/clock.ts'
import { printable } from '../lib/printable.ts'
import type { Colour, CommandContext } from './context.ts'

/* How commands print data: a table or facts for people, JSON for scripts. */

type Printer = Pick<CommandContext, 'print'>

/** A column of a table. The text may come from outside: control characters become escapes. */
export interface Column<Row> {
  head: string
  text: (row: Row) => string | number | null
  align?: 'right'
  colour?: (row: Row) => Colour | undefined
}

export interface List<Row> {
  /** Prints more rows. Columns become wider when later rows need it, because a long list is not held in memory. */
  add(rows: readonly Row[]): void
}

interface ListForm<Row> {
  json: boolean | undefined
  columns: readonly Column<Row>[]
  /** Returns the JSON of a row, with the names that the HTTP routes use. */
  view: (row: Row) => object
}

/** Begins a list: a table with a heading, or with `json` one JSON object per line. */
export function beginList<Row>(context: Printer, { json, columns, view }: ListForm<Row>): List<Row> {
  if (json) return { add: (rows) => rows.forEach((row) => void printJson(context, view(row))) }
  const widths = columns.map(({ head }) => head.length)
  const heading = columns.map(({ head }) => ({ text: head, colour: 'bold' as const }))
  let isBegun = false
  const addRows = (rows: readonly Row[]) => {
    const lines = rows.map((row) => columns.map((column) => cellOf(column, row)))
    if (!isBegun) lines.unshift(heading)
    isBegun = true
    for (const cells of lines) {
      for (const [at, { text }] of cells.entries()) widths[at] = Math.max(widths[at]!, Bun.stringWidth(text))
    }
    for (const cells of lines) printCells(context, cells, (at) => ({ width: widths[at]!, align: columns[at]!.align }))
  }
  return { add: addRows }
}

/** Prints a whole list; a table without rows has its heading only. */
export const printList = <Row>(context: Printer, rows: readonly Row[], form: ListForm<Row>): void =>
  beginList(context, form).add(rows)

export const printJson = ({ print }: Printer, value: object): void => print(`${JSON.stringify(value)}\n`)

/** A name and its value; a fact with the value undefined is left out. */
export type Fact = readonly [name: string, value: string | number | null | undefined, colour?: Colour | undefined]

/** Prints facts about one thing, one per line, the values below each other. */
export function printFacts(context: Printer, facts: readonly Fact[]): void {
  const known = facts.filter(([, value]) => value !== undefined)
  const width = Math.max(...known.map(([name]) => Bun.stringWidth(name))) + 1
  for (const [name, value, colour] of known)
    printCells(context, [{ text: `${name}:` }, { text: textOf(value ?? null), colour }], () => ({ width }))
}

interface Cell {
  text: string
  colour?: Colour | undefined
}

const cellOf = <Row>({ text, colour }: Column<Row>, row: Row): Cell => ({
  text: textOf(text(row)),
  colour: colour?.(row),
})

const textOf = (value: string | number | null): string =>
  value === null || value === '' ? '-' : printable(String(value))

/** Prints one line of cells, two spaces apart. There are no spaces behind the last cell. */
function printCells(
  { print }: Printer,
  cells: readonly Cell[],
  placeOf: (at: number) => { width: number; align?: 'right' | undefined },
): void {
  for (const [at, { text, colour }] of cells.entries()) {
    const { width, align } = placeOf(at)
    const space = ' '.repeat(Math.max(0, width - Bun.stringWidth(text)))
    const isLast = at === cells.length - 1
    if (align === 'right') print(space)
    print(text, colour)
    print(isLast ? '\n' : `${align === 'right' ? '' : space}  `)
  }
}

/** Formats a time for people: UTC, to the second. */
export const timeText = (at: number | null): string | null =>
  at === null
    ? null
    : rfc3339(at)
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z')
