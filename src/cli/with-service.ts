import type { Config } from '../config/schema.ts'
import { openService, type Service } from '../service.ts'
import type { CommandContext } from './context.ts'
import { readConfig, type SettingsFlags } from './settings.ts'

/**
 * Runs `work` on the configured database, also beside a running server. Logs only warnings and errors.
 * @throws MigrationError when the database is not current: only `serve` and `migrate up` upgrade it
 */
export async function withService<T>(
  context: CommandContext,
  flags: SettingsFlags,
  work: (service: Service) => Promise<T>,
): Promise<T> {
  const config: Config = { ...readConfig(context, flags), LOG_LEVEL: 'warn' }
  const { clock, random, printError: write } = context
  const service = await openService(config, { clock, random, write, waitInside: true, schema: 'require' })
  try {
    return await work(service)
  } finally {
    await service.close()
  }
}
