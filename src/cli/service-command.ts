import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty'
import type { Config } from '../config/schema.ts'
import { openService, type Service } from '../service.ts'
import type { CommandContext } from './context.ts'
import { readConfig, type SettingsFlags, settingsArgs } from './settings.ts'

/**
 * Makes a command that uses the configured database, also while a server is running. The command logs only warnings and
 * errors. It refuses a database whose schema is not current, because only `serve` and `migrate up` upgrade a database.
 */
export const serviceCommand = <const Args extends ArgsDef>(
  context: CommandContext,
  { args, ...meta }: { name: string; description: string; args: Args },
  work: (service: Service, args: ParsedArgs<Args>) => Promise<void>,
) =>
  defineCommand({
    meta,
    args: { ...args, ...settingsArgs },
    async run({ args }) {
      const config: Config = { ...readConfig(context, args as SettingsFlags), LOG_LEVEL: 'warn' }
      const { clock, random, printError: write } = context
      const service = await openService(config, { clock, random, write, waitInside: true, schema: 'require' })
      try {
        await work(service, args as ParsedArgs<Args>)
      } finally {
        await service.close()
      }
    },
  })
