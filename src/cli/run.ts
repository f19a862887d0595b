import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from 'citty'
import { enableJit } from '../lib/jit.ts'
import { serve } from './commands/serve.ts'
import { type CommandContext, UsageError } from './context.ts'

/**
 * Runs one command line.
 * @returns the exit code: 0 done, 1 failed, 2 called wrongly
 */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const server = serve(context)
  const root = defineCommand({
    meta: { name: 'keyward', version: context.version, description: 'User authentication in one executable' },
    subCommands: {
      serve: server,
      // The other commands are loaded when they are named, so that a server's start does not evaluate them.
      config: async () => (await import('./commands/config.ts')).config(context),
      migrate: async () => (await import('./commands/migrate.ts')).migrate(context),
      healthcheck: async () => (await import('./commands/healthcheck.ts')).healthcheck(context),
      import: async () => (await import('./commands/import.ts')).importCommand(context),
      users: async () => (await import('./commands/users.ts')).users(context),
      apikeys: async () => (await import('./commands/apikeys.ts')).apikeys(context),
      audit: async () => (await import('./commands/audit.ts')).audit(context),
      keys: async () => (await import('./commands/keys.ts')).keys(context),
    },
  }) as CommandDef
  try {
    if (argv.includes('--version')) {
      context.print(`${context.version}\n`)
      return 0
    }
    const { command, parents, rest } = await resolve(root, argv)
    if (argv.includes('--help') || argv.includes('-h')) {
      context.print(`${await usage(command, parents)}\n`)
      return 0
    }
    await checkArguments(command, rest)
    // A server enables it at the first request that is no probe.
    if (command !== server) enableJit()
    await runCommand(command, { rawArgs: rest })
    return 0
  } catch (error) {
    if (error instanceof UsageError || (error as Error).name === 'CLIError') {
      context.printError(`${(error as Error).message}\nSee: keyward --help\n`)
      return 2
    }
    const { explain } = await import('./explain.ts')
    context.printError(`${explain(error)}\n`)
    return 1
  }
}

/** Finds the command that the leading words name. `keyward` alone serves; a group alone runs its default. */
async function resolve(root: CommandDef, argv: readonly string[]) {
  let command = root
  const parents: CommandDef[] = []
  const rest = [...argv]
  for (;;) {
    const subCommands = command.subCommands as Record<string, CommandDef | (() => Promise<CommandDef>)> | undefined
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
    command = typeof next === 'function' ? await next() : next
  }
}

/** citty colours its text even for files and pipes, and takes one parent only. */
async function usage(command: CommandDef, parents: readonly CommandDef[]): Promise<string> {
  const names = parents.map(({ meta }) => (meta as { name: string }).name)
  const parent = { meta: { ...parents[0]?.meta, name: names.join(' ') } }
  return Bun.stripANSI(await renderUsage(command, parents.length === 0 ? undefined : parent))
}

/** citty ignores unknown options and words, so a mistyped option would count as absent. */
async function checkArguments(command: CommandDef, rest: readonly string[]): Promise<void> {
  if (rest.length === 0) return
  const { parseArgs } = await import('node:util')
  const args = Object.entries((command.args ?? {}) as ArgsDef)
  const options = args
    .filter(([, { type }]) => type !== 'positional')
    .map(([name, { type }]) => [name, { type: type === 'boolean' ? 'boolean' : 'string' } as const] as const)
  const taken = args.length - options.length
  try {
    const { positionals } = parseArgs({
      args: [...rest],
      options: Object.fromEntries(options),
      allowPositionals: true,
      strict: true,
    })
    if (positionals.length > taken)
      throw new UsageError(taken === 0 ? 'This command takes no arguments' : 'Too many arguments')
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
    throw new UsageError((error as Error).message.split(/\. |\.?\n/)[0]?.replace(/'(\w)'/, "'-$1'"))
  }
}
