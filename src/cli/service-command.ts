import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty'
import type { Config } from '../config/schema.ts'
import { openService, type Service } from '../service.ts'
import { type AllValues, allValues } from './arguments.ts'
import type { CommandContext } from './context.ts'
import { readConfig, type SettingsFlags, settingsArgs } from './settings.ts'

/** The texts of a command. `meta` of citty's `defineCommand` takes them too. */
export interface CommandText {
  name: string
  /** An imperative sentence without a full stop. */
  description: string
  /** Command lines for the help text, without `keyward`. */
  examples: readonly string[]
  /** Every exit code, if they are not `usualExits`. */
  exits?: readonly number[]
}

/**
 * Makes a command that uses the configured database, also while a server is running. The command logs only warnings and
 * errors. It refuses a database whose schema is not current, because only `serve` and `migrate up` upgrade a database.
 */
export const serviceCommand = <const Args extends ArgsDef>(
  context: CommandContext,
  { args: own, ...meta }: CommandText & { args: Args },
  work: (service: Service, args: ParsedArgs<Args>, all: AllValues) => Promise<void>,
) =>
  defineCommand({
    meta,
    args: { ...own, ...settingsArgs },
    async run({ args, rawArgs }) {
      const config: Config = { ...readConfig(context, args as SettingsFlags), LOG_LEVEL: 'warn' }
      const { clock, random, printError: write } = context
      const service = await openService(config, { clock, random, write, waitInside: true, schema: 'require' })
      try {
        await work(service, args as ParsedArgs<Args>, allValues(rawArgs, own))
      } finally {
        await service.close()
      }
    },
  })
