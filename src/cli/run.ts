import { runCommand } from 'citty'
import { enableJit } from '../lib/jit.ts'
import { ExitCode, type ProcessContext, UsageError } from './context.ts'
import { commandContext } from './output.ts'
import { rootCommand } from './root.ts'
import { findCommand } from './tree.ts'

/**
 * Runs one command line, and prints the error when the command fails.
 * @param argv the words after the name of the executable
 * @returns one of `exitCodes`
 */
export async function run(argv: readonly string[], base: ProcessContext): Promise<number> {
  const context = commandContext(base)
  const root = rootCommand(context)
  const words: string[] = []
  const asksForHelp = argv.includes('--help') || argv.includes('-h') || argv[0] === 'help'
  try {
    if (argv.includes('--version') || argv[0] === 'version') {
      context.print(`${context.version}\n`)
      return 0
    }
    const { command, rest } = await findCommand(root, argv[0] === 'help' ? argv.slice(1) : argv, { asksForHelp, words })
    if (asksForHelp) {
      const { helpOf } = await import('./help.ts')
      context.print(`${await helpOf({ command, words })}\n`)
      return 0
    }
    if (rest.length > 0) {
      const { checkArguments } = await import('./check-arguments.ts')
      await checkArguments(command, rest)
    }
    // A server enables JIT compilation later, at its first request that is not a probe.
    if ((command.meta as { name?: string }).name !== 'serve') enableJit()
    await runCommand(command, { rawArgs: rest })
    return 0
  } catch (error) {
    if (error instanceof ExitCode) return error.code
    if (error instanceof UsageError || (error as Error).name === 'CLIError') {
      context.printError(`${(error as Error).message}\nSee: ${['keyward', ...words].join(' ')} --help\n`)
      return 2
    }
    const { explain } = await import('./explain.ts')
    context.printError(`${explain(error)}\n`)
    return 1
  }
}
