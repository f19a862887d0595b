import type { Config } from '../config/schema.ts'
import { closeDeps, createDeps, type Deps } from '../service.ts'
import type { CommandContext } from './context.ts'
import { readConfig, type SettingsFlags } from './settings.ts'

/** Runs `work` on the configured database, beside a running server too; logs nothing but trouble. */
export async function withDeps<T>(
  context: CommandContext,
  flags: SettingsFlags,
  work: (deps: Deps) => Promise<T>,
): Promise<T> {
  const config: Config = { ...readConfig(context, flags), LOG_LEVEL: 'warn' }
  const deps = await createDeps(config, {
    clock: context.clock,
    random: context.random,
    write: context.printError,
    waitInside: true,
  })
  try {
    return await work(deps)
  } finally {
    await closeDeps(deps)
  }
}
