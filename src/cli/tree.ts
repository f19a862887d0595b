import type { ArgsDef, CommandDef } from 'citty'
import { nearMiss } from '../config/names.ts'
import { UsageError } from './context.ts'

/** The commands of a group by their names. They are loaded on demand. */
export type Groups = Readonly<Record<string, CommandDef | (() => CommandDef | Promise<CommandDef>)>>

export interface CommandNode {
  command: CommandDef
  /** The words of the command line that name it; none for the root. */
  words: readonly string[]
}

export type Group = CommandDef & { subCommands: Groups }

/** Loads the command with this name. */
export async function commandOf(groups: Groups, name: string): Promise<CommandDef> {
  const command = groups[name]!
  return typeof command === 'function' ? command() : command
}

export const isGroup = (command: CommandDef): command is Group => command.subCommands !== undefined

/** Former names of commands and the present ones. Both work; help and completion show the present names only. */
export const formerNames: Readonly<Record<string, string>> = { keys: 'signing-keys' }

export const visibleNames = (groups: Groups): string[] =>
  Object.keys(groups).filter((name) => !Object.hasOwn(formerNames, name))

/** Returns every command that is not a group, and with `groups` the groups too, in the order of the help text. */
export async function commandsBelow(node: CommandNode, { groups }: { groups: boolean }): Promise<CommandNode[]> {
  if (!isGroup(node.command)) return [node]
  const { subCommands } = node.command
  const below = await Promise.all(
    visibleNames(subCommands).map(async (name) =>
      commandsBelow({ command: await commandOf(subCommands, name), words: [...node.words, name] }, { groups }),
    ),
  )
  return [...(groups ? [node] : []), ...below.flat()]
}

/**
 * Finds the command that the first words of a command line name. Without a word, this is the default command of the
 * root, or with `asksForHelp` the group itself.
 * @param words receives the words of the commands that were found
 * @throws UsageError for an unknown command, and for a group without a command
 */
export async function findCommand(
  root: CommandDef,
  argv: readonly string[],
  { asksForHelp, words }: { asksForHelp: boolean; words: string[] },
): Promise<{ command: CommandDef; rest: string[] }> {
  const rest = [...argv]
  let command = root
  while (isGroup(command)) {
    const word = rest[0]?.startsWith('-') ? undefined : rest.shift()
    if (word === undefined && asksForHelp) break
    const name = word ?? (command.default as string | undefined) ?? ''
    if (!Object.hasOwn(command.subCommands, name)) throw new UsageError(await whyNone(root, command, word))
    if (word !== undefined) words.push(formerNames[name] ?? name)
    command = await commandOf(command.subCommands, name)
  }
  return { command, rest }
}

/** Says that a command is unknown or missing, and which it may be. */
async function whyNone(root: CommandDef, { subCommands }: Group, word: string | undefined): Promise<string> {
  const names = visibleNames(subCommands)
  const list = `Commands: ${names.join(', ')}`
  if (word === undefined) return `A command is missing. ${list}`
  const unknown = `Unknown command "${word}".`
  const meant = nearMiss(word, names, true)
  if (meant !== undefined) return `${unknown} Did you mean ${meant}? ${list}`
  // `keyward lst` may be `keyward users list`. A word below a group may also be a command of the root.
  const all = (await commandsBelow({ command: root, words: [] }, { groups: true })).filter(
    ({ words }) => words.length > 0,
  )
  const named = all.filter(({ words }) => words.at(-1) === word)
  const others = named.map(({ words }) => `keyward ${words.join(' ')}`)
  return others.length === 0 || others.length > 4
    ? `${unknown} ${list}`
    : `${unknown} Did you mean ${others.join(' or ')}? ${list}`
}

/** The options of a command by name; positional arguments are left out. */
export const optionsOf = ({ args = {} }: CommandDef): [name: string, arg: ArgsDef[string]][] =>
  Object.entries(args as ArgsDef).filter(([, { type }]) => type !== 'positional')

export const positionalsOf = ({ args = {} }: CommandDef): [name: string, arg: ArgsDef[string]][] =>
  Object.entries(args as ArgsDef).filter(([, { type }]) => type === 'positional')

/** The values that an option or argument can have; none when it takes any text. */
export const valuesOf = (arg: ArgsDef[string]): readonly string[] =>
  'options' in arg ? ((arg.options ?? []) as readonly string[]) : []
