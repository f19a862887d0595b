import { describe, expect, test } from 'bun:test'
import type { ProcessContext } from '../../src/cli/context.ts'
import { commandContext } from '../../src/cli/output.ts'
import { beginList, type Column, printFacts, printList } from '../../src/cli/table.ts'
import { processContext } from '../support/cli.ts'

/** A command's output, on a terminal or not. */
function openOutput(members: Partial<ProcessContext> = {}) {
  let out = ''
  const print = (text: string) => {
    out += text
  }
  return { context: commandContext(processContext({ print, ...members })), out: () => out }
}

interface Row {
  id: number
  name: string | null
  state: string
}

const form = (json = false) => {
  const columns: Column<Row>[] = [
    { head: 'ID', text: ({ id }) => id, align: 'right' },
    { head: 'NAME', text: ({ name }) => name },
    { head: 'STATE', text: ({ state }) => state, colour: ({ state }) => (state === 'on' ? 'green' : undefined) },
  ]
  return { json, columns, view: ({ id, name }: Row) => ({ id, name }) }
}

const rows: Row[] = [
  { id: 7, name: 'ada', state: 'on' },
  { id: 1234, name: '山田 太郎', state: 'off' },
  { id: 8, name: '👩‍🚀é', state: 'on' },
  { id: 9, name: null, state: '' },
]

/** The columns of the terminal in which the last cell begins. */
const lastCellAt = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => Bun.stringWidth(line.slice(0, line.search(/\S+$/))))

describe('a table', () => {
  test('is aligned by the width that a terminal gives each character', () => {
    const { context, out } = openOutput()
    printList(context, rows, form())
    expect(out().split('\n').slice(0, 3)).toEqual([
      '  ID  NAME         STATE',
      '   7  ada          on',
      '1234  山田 太郎    off',
    ])
    // Format characters, such as the joiner in the name, are printed as escapes.
    expect(out()).toContain('👩\\u200d🚀é  on')
    expect(new Set(lastCellAt(out())).size).toBe(1)
    expect(out()).not.toMatch(/ $/m)
    expect(out()).toMatch(/^ {3}9 {2}- +-$/m)
  })

  test('has its heading only, when there are no rows', () => {
    const { context, out } = openOutput()
    printList(context, [], form())
    expect(out()).toBe('ID  NAME  STATE\n')
  })

  test('in several parts has one heading, and gets wider', () => {
    const { context, out } = openOutput()
    const list = beginList(context, form())
    list.add(rows.slice(0, 1))
    list.add(rows.slice(1, 2))
    list.add(rows.slice(0, 1))
    expect(out()).toBe('ID  NAME  STATE\n 7  ada   on\n1234  山田 太郎  off\n   7  ada        on\n')
  })

  test('is coloured on a terminal only, and not with NO_COLOR or a dumb terminal', () => {
    const coloured = openOutput({ printsToTerminal: () => true })
    printList(coloured.context, rows.slice(0, 1), form())
    expect(coloured.out()).toBe(
      '\x1b[1mID\x1b[0m  \x1b[1mNAME\x1b[0m  \x1b[1mSTATE\x1b[0m\n 7  ada   \x1b[32mon\x1b[0m\n',
    )
    for (const plain of [
      openOutput(),
      openOutput({ printsToTerminal: () => true, env: { NO_COLOR: '1' } }),
      openOutput({ printsToTerminal: () => true, env: { TERM: 'dumb' } }),
    ]) {
      printList(plain.context, rows.slice(0, 1), form())
      expect(plain.out()).toBe('ID  NAME  STATE\n 7  ada   on\n')
    }
    const empty = openOutput({ printsToTerminal: () => true, env: { NO_COLOR: '' } })
    printList(empty.context, [], form())
    expect(empty.out()).toContain('\x1b[1m')
  })

  test('shows control characters of a text as escapes, and neither colour nor line comes from it', () => {
    const { context, out } = openOutput({ printsToTerminal: () => true })
    const name = '\x1b[31mred\n\t\u202e'
    printList(context, [{ id: 1, name, state: '' }], form())
    printFacts(context, [['Name', name]])
    expect(out()).not.toContain('\x1b[31m')
    expect(out().split('\n')[1]).toContain('\\u001b[31mred\\u000a\\u0009\\u202e')
    expect(out().trimEnd().split('\n')).toHaveLength(3)
    context.print('\x1b[2J', 'green')
    expect(out()).toEndWith('\n\x1b[32m\\u001b[2J\x1b[0m')
  })

  test('as JSON has one object per line, and nothing without rows', () => {
    const { context, out } = openOutput({ printsToTerminal: () => true })
    printList(context, [], form(true))
    expect(out()).toBe('')
    printList(context, [{ id: 1, name: 'a\n\x1b[2J', state: 'on' }, rows[1]!], form(true))
    expect(
      out()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { id: 1, name: 'a\n\x1b[2J' },
      { id: 1234, name: '山田 太郎' },
    ])
    expect(out()).not.toContain('\x1b')
  })
})

test('facts have their values below each other, and leave out what is undefined', () => {
  const { context, out } = openOutput()
  printFacts(context, [
    ['Id', 7],
    ['Last failure', undefined],
    ['Username', 'ada'],
    ['Name', null],
  ])
  expect(out()).toBe('Id:        7\nUsername:  ada\nName:      -\n')
})
