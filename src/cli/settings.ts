import { dirname, join } from 'node:path'
import { withSecretKey } from '../config/dev-secret.ts'
import { readDotenv } from '../config/dotenv.ts'
import { loadConfig } from '../config/load.ts'
import { problemLine } from '../config/problems.ts'
import type { Config, DraftConfig } from '../config/schema.ts'
import { type CommandContext, UsageError } from './context.ts'

/** The flags that every command takes. */
export const settingsArgs = {
  dev: {
    type: 'boolean',
    description: 'Development mode: create a SECRET_KEY if there is none, log as text, allow a low BCRYPT_COST',
  },
  'env-file': {
    type: 'string',
    description: 'Read settings from FILE instead of .env beside the executable',
    valueHint: 'FILE',
  },
} as const

export interface SettingsFlags {
  dev?: boolean
  'env-file'?: string
}

/**
 * The configuration, with `--dev` perhaps without a SECRET_KEY. Prints warnings.
 * @throws ConfigError with every problem
 */
export function readSettings(context: CommandContext, flags: SettingsFlags): DraftConfig {
  const named = flags['env-file']
  if (named === '') throw new UsageError('--env-file takes the name of a file')
  const path = named ?? join(dirname(context.executable), '.env')
  const dotenv = readDotenv(path, { required: named !== undefined })
  const { config, warnings } = loadConfig({ env: context.env, dotenv, dev: flags.dev === true, random: context.random })
  for (const warning of warnings) context.printError(`warning: ${problemLine(warning)}\n`)
  return config
}

/** As `readSettings`, with a SECRET_KEY: `--dev` creates a missing one and prints its file. */
export function readConfig(context: CommandContext, flags: SettingsFlags): Config {
  const { config, devSecret } = withSecretKey(readSettings(context, flags), context.random)
  if (devSecret?.created) context.printError(`Created a SECRET_KEY for development in ${devSecret.path}\n`)
  return config
}
