import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from 'citty'
import { ConfigError } from '../config/problems.ts'
import { KeywardError } from '../errors.ts'
import { KeyringError } from '../features/keys/keyring.ts'
import { errorFields } from '../lib/log.ts'
import { MigrationError } from '../storage/migrate.ts'
import { config } from './config.ts'
import { type CommandContext, UsageError } from './context.ts'
import { migrate } from './migrate.ts'
import { serve } from './serve.ts'

/**
 * Runs one command line.
 * @returns the exit code: 0 done, 1 failed, 2 called wrongly
 */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const root = defineCommand({
    meta: { name: 'keyward', version: context.version, description: 'User authentication in one executable' },
    subCommands: { serve: serve(context), config: config(context), migrate: migrate(context) },
  }) as CommandDef
  try {
    if (argv.includes('--version')) {
      context.print(`${context.version}\n`)
      return 0
    }
    const { command, parents, rest } = await resolve(root, argv)
    if (argv.includes('--help') || argv.includes('-h')) {
      context.print(`${await renderUsage(command, parents.at(-1))}\n`)
      return 0
    }
    checkFlags(command, rest)
    await runCommand(command, { rawArgs: rest })
    return 0
  } catch (error) {
    if (error instanceof UsageError || (error as Error).name === 'CLIError') {
      context.printError(`${(error as Error).message}\nSee: keyward --help\n`)
      return 2
    }
    context.printError(`${explain(error)}\n`)
    return 1
  }
}

interface Resolved {
  command: CommandDef
  parents: CommandDef[]
  rest: string[]
}

/** Finds the command that the leading words name: `keyward` alone serves, and a group does what it does by default. */
async function resolve(root: CommandDef, argv: readonly string[]): Promise<Resolved> {
  let command = root
  const parents: CommandDef[] = []
  const rest = [...argv]
  for (;;) {
    const subCommands = command.subCommands as Record<string, CommandDef> | undefined
    if (!subCommands) return { command, parents, rest }
    const word = rest[0]?.startsWith('-') ? undefined : rest.shift()
    if (word === undefined && (rest.includes('--help') || rest.includes('-h'))) return { command, parents, rest }
    const name = word ?? (command === root ? 'serve' : (command as { default?: string }).default)
    const next = name === undefined ? undefined : subCommands[name]
    if (!next || !Object.hasOwn(subCommands, name!)) {
      const known = Object.keys(subCommands).join(', ')
      throw new UsageError(
        word === undefined ? `One of these is needed: ${known}` : `Unknown command. There are: ${known}`,
      )
    }
    parents.push(command)
    command = next
  }
}

/** citty lets unknown flags pass; a mistyped one must not be taken for its absence. */
function checkFlags(command: CommandDef, rest: readonly string[]): void {
  const args = (command.args ?? {}) as ArgsDef
  for (const word of rest) {
    if (!word.startsWith('-') || word === '-') continue
    const name = word.replace(/^--?(no-)?/, '').split('=')[0] ?? ''
    if (!Object.hasOwn(args, name)) throw new UsageError(`Unknown option --${name}`)
  }
}

/** One clear sentence for whoever typed the command; what is unexpected is named by class and place only. */
function explain(error: unknown): string {
  const ours = [ConfigError, KeyringError, KeywardError, MigrationError].some((known) => error instanceof known)
  if (ours) return (error as Error).message
  const { error: name, error_code: code, stack } = errorFields(error)
  return [`Keyward stopped on an unexpected ${name}${code === undefined ? '' : ` (${code})`}`, stack]
    .filter(Boolean)
    .join('\n')
}
