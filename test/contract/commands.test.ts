import { beforeAll, describe, expect, test } from 'bun:test'
import { type ArgsDef, type CommandMeta, parseArgs } from 'citty'
import { checkArguments } from '../../src/cli/check-arguments.ts'
import { exitCodes, usualExits } from '../../src/cli/exit-codes.ts'
import { commandContext } from '../../src/cli/output.ts'
import { rootCommand } from '../../src/cli/root.ts'
import {
  type CommandNode,
  commandsBelow,
  findCommand,
  formerNames,
  optionsOf,
  positionalsOf,
} from '../../src/cli/tree.ts'
import { keyward, processContext } from '../support/cli.ts'
import { readChapter } from '../support/readme.ts'

const root = () => rootCommand(commandContext(processContext({})))
const help = async (words: readonly string[]) => (await keyward([...words, '--help'], { databaseUrl: '' })).out
const metaOf = ({ command }: CommandNode) => command.meta as CommandMeta
const nameOf = ({ words }: CommandNode) => words.join(' ')

/** Commands that print no data, or always in one form. */
const withoutJson = ['serve', 'import', 'export', 'completion']

describe('14.3 every command', () => {
  let commands: CommandNode[]
  let all: CommandNode[]
  beforeAll(async () => {
    commands = await commandsBelow({ command: root(), words: [] }, { groups: false })
    all = await commandsBelow({ command: root(), words: [] }, { groups: true })
  })

  test('and every group has a description, which begins with a verb and has no full stop', () => {
    expect(commands.length).toBeGreaterThan(30)
    for (const node of all) {
      const { name, description = '' } = metaOf(node)
      expect(name).toBe(node.words.at(-1) ?? 'keyward')
      expect(description).toMatch(/^[A-Z][^\n]*[^.\n]$/)
    }
  })

  test('has an example that can be parsed, also for a command with arguments', async () => {
    for (const node of commands) {
      const { examples = [] } = metaOf(node)
      expect([nameOf(node), examples.length]).not.toEqual([nameOf(node), 0])
      for (const example of examples) {
        const words = wordsOf(example)
        const found = await findCommand(root(), words, { asksForHelp: false, words: [] })
        expect((found.command.meta as CommandMeta).name).toBe(metaOf(node).name!)
        await checkArguments(found.command, found.rest)
        expect(() => parseArgs(found.rest, found.command.args as ArgsDef)).not.toThrow()
      }
    }
  })

  test('has a help text that fits a terminal, with its arguments, examples and exit codes', async () => {
    for (const node of all) {
      const text = await help(node.words)
      const lines = text.trimEnd().split('\n')
      expect(lines.filter((line) => Bun.stringWidth(line) > 80 || line !== line.trimEnd())).toEqual([])
      expect(text).toContain(`Usage: ${['keyward', ...node.words].join(' ')} `)
      if (node.command.subCommands) continue
      for (const [name, { valueHint }] of optionsOf(node.command))
        expect(text).toContain(valueHint === undefined ? `  --${name} ` : `  --${name} ${valueHint}`)
      for (const [, { valueHint }] of positionalsOf(node.command))
        expect(text).toMatch(new RegExp(`^  ${valueHint} `, 'm'))
      const { examples = [], exits = usualExits } = metaOf(node)
      for (const example of examples) expect(lines).toContain(`  keyward ${example}`)
      const [, listed = ''] = text.split('Exit status:\n')
      expect([...listed.matchAll(/^ {2}(\d+) /gm)].map(([, code]) => Number(code))).toEqual([...exits])
    }
  })

  test('prints JSON with --json, unless it prints no data', () => {
    const without = commands.filter(({ command }) => !optionsOf(command).some(([name]) => name === 'json'))
    expect(without.map(nameOf)).toEqual(withoutJson)
  })

  test('takes no secret as an argument', () => {
    const secret = /pass|secret|token|key$|pin|credential|code/
    const named = commands.flatMap((node) =>
      [...optionsOf(node.command), ...positionalsOf(node.command)]
        .filter(([name, { type }]) => type !== 'boolean' && secret.test(name))
        .map(([name]) => `${nameOf(node)} --${name}`),
    )
    // These take the name of a variable of the environment, or an algorithm.
    expect(named).toEqual([
      'users create --password-env',
      'users set-password --password-env',
      'providers add --secret-env',
      'providers update --secret-env',
      // These say how the ID tokens of a client look.
      'clients create --id-token-alg',
      'clients update --claims-in-id-token',
      'clients update --id-token-alg',
      'signing-keys rotate --id-tokens',
    ])
  })

  test('has one name; a former name works too, and is not listed', async () => {
    for (const [former, name] of Object.entries(formerNames)) {
      const found = await findCommand(root(), [former], { asksForHelp: true, words: [] })
      expect((found.command.meta as CommandMeta).name).toBe(name)
      expect(await help([])).not.toMatch(new RegExp(`^ +${former} `, 'm'))
      expect(await help([former])).toBe(await help([name]))
    }
  })
})

test('14.3 the guide has every exit code, and every code belongs to a command', async () => {
  const rows = [...(await readChapter('command-line')).matchAll(/^\| `(\d+)` \| (.*?) \|/gm)]
  expect(rows.map(([, code, text]) => [code!, text!])).toEqual(Object.entries(exitCodes))
  const commands = await commandsBelow({ command: root(), words: [] }, { groups: false })
  const used = new Set(commands.flatMap((node) => [...(metaOf(node).exits ?? usualExits)]))
  expect([...used].map(String).sort()).toEqual(Object.keys(exitCodes).sort())
})

/** The words of an example without a redirection. */
const wordsOf = (example: string): string[] => example.replace(/ <\S+$/, '').split(' ')
