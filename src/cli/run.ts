import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from 'citty'
import { nearMiss } from '../config/names.ts'
import { configKeys } from '../config/schema.ts'
import { enableJit } from '../lib/jit.ts'
import { serve } from './commands/serve.ts'
import { ExitCode, type ProcessContext, UsageError } from './context.ts'
import { commandContext } from './output.ts'

/**
 * Runs one command line, and prints the error when the command fails.
 * @param argv the words after the name of the executable
 * @returns the exit code: 0 success, 1 failure, 2 wrong usage, 3 `backup` and `restore` for PostgreSQL, 4 `copy`
 * to a database that is not empty
 */
export async function run(argv: readonly string[], process: ProcessContext): Promise<number> {
  const context = commandContext(process)
  const server = serve(context) as CommandDef
  const root = defineCommand({
    meta: { name: 'keyward', version: context.version, description: 'User authentication in one executable' },
    subCommands: {
      serve: server,
      // The other commands are loaded on demand, so that the start of a server does not evaluate their code.
      config: async () => (await import('./commands/config.ts')).config(context),
      migrate: async () => (await import('./commands/migrate.ts')).migrate(context),
      healthcheck: async () => (await import('./commands/healthcheck.ts')).healthcheck(context),
      doctor: async () => (await import('./commands/doctor.ts')).doctor(context),
      import: async () => (await import('./commands/import.ts')).importCommand(context),
      export: async () => (await import('./commands/export.ts')).exportCommand(context),
      backup: async () => (await import('./commands/backup.ts')).backup(context),
      restore: async () => (await import('./commands/restore.ts')).restore(context),
      copy: async () => (await import('./commands/copy.ts')).copy(context),
      users: async () => (await import('./commands/users.ts')).users(context),
      sessions: async () => (await import('./commands/sessions.ts')).sessions(context),
      apikeys: async () => (await import('./commands/apikeys.ts')).apikeys(context),
      audit: async () => (await import('./commands/audit.ts')).audit(context),
      limits: async () => (await import('./commands/limits.ts')).limits(context),
      mail: async () => (await import('./commands/mail.ts')).mail(context),
      keys: async () => (await import('./commands/keys.ts')).keys(context),
      secrets: async () => (await import('./commands/secrets.ts')).secrets(context),
    },
    default: 'serve',
  }) as CommandDef
  const words: string[] = ['keyward']
  const asksForHelp = argv.includes('--help') || argv.includes('-h') || argv[0] === 'help'
  try {
    if (argv.includes('--version') || argv[0] === 'version') {
      context.print(`${context.version}\n`)
      return 0
    }
    const { command, parents, rest } = await resolve(root, argv[0] === 'help' ? argv.slice(1) : argv, {
      asksForHelp,
      words,
    })
    if (asksForHelp) {
      context.print(`${await usage(command, parents)}\n`)
      return 0
    }
    await checkArguments(command, rest)
    // A server enables JIT compilation later, at its first request that is not a probe.
    if (command !== server) enableJit()
    await runCommand(command, { rawArgs: rest })
    return 0
  } catch (error) {
    if (error instanceof ExitCode) return error.code
    if (error instanceof UsageError || (error as Error).name === 'CLIError') {
      context.printError(`${(error as Error).message}\nSee: ${words.join(' ')} --help\n`)
      return 2
    }
    const { explain } = await import('./explain.ts')
    context.printError(`${explain(error)}\n`)
    return 1
  }
}

/**
 * Finds the command that the first words of a command line name. Without a word, this is the default command of the
 * root.
 * @param words receives the words of the commands that were found
 * @throws UsageError for an unknown command, and for a group without a command
 */
async function resolve(
  root: CommandDef,
  argv: readonly string[],
  { asksForHelp, words }: { asksForHelp: boolean; words: string[] },
) {
  const parents: CommandDef[] = []
  const rest = [...argv]
  let command = root
  for (;;) {
    const subCommands = command.subCommands as Record<string, CommandDef | (() => Promise<CommandDef>)> | undefined
    const word = subCommands && !rest[0]?.startsWith('-') ? rest.shift() : undefined
    if (!subCommands || (word === undefined && asksForHelp)) return { command, parents, rest }
    const name = word ?? (command.default as string | undefined) ?? ''
    const next = Object.hasOwn(subCommands, name) ? subCommands[name]! : undefined
    if (!next) {
      const names = Object.keys(subCommands)
      throw new UsageError(`${whyNone(word, names)} Commands: ${names.join(', ')}`)
    }
    if (word !== undefined) words.push(word)
    parents.push(command)
    command = typeof next === 'function' ? await next() : next
  }
}

function whyNone(word: string | undefined, names: readonly string[]): string {
  if (word === undefined) return 'A command is missing.'
  const meant = nearMiss(word, names, true)
  return `Unknown command "${word}".${meant === undefined ? '' : ` Did you mean ${meant}?`}`
}

/**
 * Makes the help text of a command. Corrects two defects of citty: it prints colours even into files, and shows only
 * one parent command.
 */
async function usage(command: CommandDef, parents: readonly CommandDef[]): Promise<string> {
  const names = parents.map(({ meta }) => (meta as { name: string }).name)
  const parent = { meta: { ...parents[0]?.meta, name: names.join(' ') } }
  return Bun.stripANSI(await renderUsage(command, parents.length === 0 ? undefined : parent))
}

/**
 * Refuses unknown arguments, which citty ignores. Otherwise a mistyped option would have no effect and cause no error.
 * @throws UsageError for an unknown argument, or for too many arguments
 */
async function checkArguments(command: CommandDef, args: string[]): Promise<void> {
  if (args.length === 0) return
  const { parseArgs } = await import('node:util')
  const known = Object.entries((command.args ?? {}) as ArgsDef)
  const options = known
    .filter(([, { type }]) => type !== 'positional')
    .map(([name, { type }]) => [name, { type: type === 'boolean' ? 'boolean' : 'string' } as const] as const)
  const taken = known.length - options.length
  try {
    const { positionals } = parseArgs({ args, options: Object.fromEntries(options), allowPositionals: true })
    if (positionals.length > taken)
      throw new UsageError(taken === 0 ? 'This command takes no arguments' : 'Too many arguments')
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
    const message = (error as Error).message.split(/\. |\.?\n/)[0]?.replace(/'(\w)'/, "'-$1'") ?? ''
    throw new UsageError(`${message}${settingHint(message)}`)
  }
}

/**
 * Returns the hint to set PORT for the unknown option `--port`, and so on for every setting. Empty when the unknown
 * option is not the name of a setting.
 */
function settingHint(message: string): string {
  const name = /^Unknown option '--([\w-]+)'/.exec(message)?.[1]?.toUpperCase().replaceAll('-', '_')
  const setting = configKeys.find((key) => key === name)
  return setting === undefined ? '' : `; set ${setting} in the environment or in the .env file`
}
