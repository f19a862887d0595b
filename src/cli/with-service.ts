import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty'
import { openService, type Service } from '../service.ts'
import type { CommandContext } from './context.ts'
import { readConfig, type SettingsFlags, settingsArgs } from './settings.ts'

interface ServiceCommand<A extends ArgsDef> {
  name: string
  description: string
  args?: A
  run(service: Service, args: ParsedArgs<A & typeof settingsArgs>): Promise<void>
}

/** A command whose work needs the configured database. */
export const serviceCommand = <const A extends ArgsDef>(context: CommandContext, command: ServiceCommand<A>) =>
  defineCommand<A & typeof settingsArgs>({
    meta: { name: command.name, description: command.description },
    args: { ...(command.args as A), ...settingsArgs },
    run: ({ args }) => withService(context, args as SettingsFlags, (service) => command.run(service, args)),
  })

/**
 * Runs `work` on the configured database, also beside a running server. Logs only warnings and errors.
 * @throws MigrationError when the database is not current: only `serve` and `migrate up` upgrade it
 */
export async function withService(
  context: CommandContext,
  flags: SettingsFlags,
  work: (service: Service) => Promise<void>,
): Promise<void> {
  const { clock, random, printError: write } = context
  const config = { ...readConfig(context, flags), LOG_LEVEL: 'warn' } as const
  const service = await openService(config, { clock, random, write, waitInside: true, schema: 'require' })
  try {
    await work(service)
  } finally {
    await service.close()
  }
}
