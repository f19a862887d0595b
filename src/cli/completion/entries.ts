import type { ArgDef, CommandDef, CommandMeta } from 'citty'
import {
  type CommandNode,
  commandOf,
  commandsBelow,
  isGroup,
  optionsOf,
  positionalsOf,
  valuesOf,
  visibleNames,
} from '../tree.ts'

/** What a shell can complete at one place. */
export interface Completion {
  name: string
  description: string
  /** Undefined for a flag. */
  value: ValueKind | undefined
}

/** What an option or an argument takes: a file, any text (no values), or one of `values`, with `isList` several. */
export interface ValueKind {
  isFile: boolean
  isList: boolean
  values: readonly string[]
}

/** A command or a group, as the words of the command line name it. */
export interface Entry {
  /** The words, separated by spaces; empty for `keyward` itself. */
  path: string
  commands: readonly { name: string; description: string }[]
  options: readonly Completion[]
  arguments: readonly ValueKind[]
}

/** Returns all groups and commands, for the shells. */
export async function completionEntries(root: CommandDef): Promise<Entry[]> {
  const nodes = await commandsBelow({ command: root, words: [] }, { groups: true })
  return Promise.all(nodes.map(entryOf))
}

async function entryOf({ command, words }: CommandNode): Promise<Entry> {
  const groups = isGroup(command) ? command.subCommands : {}
  const commands = visibleNames(groups).map(async (name) => {
    const { description = '' } = (await commandOf(groups, name)).meta as CommandMeta
    return { name, description }
  })
  const options = optionsOf(command).map(([name, arg]) => ({
    name: `--${name}`,
    description: arg.description ?? '',
    value: arg.type === 'boolean' ? undefined : kindOf(arg),
  }))
  return {
    path: words.join(' '),
    commands: await Promise.all(commands),
    options: [...options, { name: '--help', description: 'Show help', value: undefined }],
    arguments: positionalsOf(command).map(([, arg]) => kindOf(arg)),
  }
}

const kindOf = (arg: ArgDef): ValueKind => ({
  isFile: arg.valueHint === 'FILE' || arg.valueHint === 'SOURCE',
  isList: arg.type === 'string' && valuesOf(arg).length > 0,
  values: valuesOf(arg),
})
