import { type CommandDef, defineCommand } from 'citty'
import { positionalChoice } from '../arguments.ts'
import { bashCompletion } from '../completion/bash.ts'
import { completionEntries } from '../completion/entries.ts'
import { fishCompletion } from '../completion/fish.ts'
import { zshCompletion } from '../completion/zsh.ts'
import type { CommandContext } from '../context.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

const shells = Object.keys(scripts) as (keyof typeof scripts)[]

/** @param rootOf the tree of all commands, of which this command is a part */
export const completion = ({ print }: CommandContext, rootOf: () => CommandDef) =>
  defineCommand({
    meta: {
      name: 'completion',
      description: 'Print a script with which a shell completes commands, options and values',
      examples: ['completion bash', 'completion zsh', 'completion fish'],
    },
    args: { shell: positionalChoice('SHELL', shells, 'The shell') },
    async run({ args }) {
      const shell = shells.find((one) => one === args.shell)!
      print(scripts[shell](await completionEntries(rootOf())))
    },
  })
