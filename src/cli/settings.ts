import { dirname, join } from 'node:path'
import { withSecretKey } from '../config/dev-secret.ts'
import { type DotenvFile, readDotenv } from '../config/dotenv.ts'
import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { problemLine } from '../config/problems.ts'
import type { Config, DraftConfig } from '../config/schema.ts'
import { flag, option } from './arguments.ts'
import { type CommandContext, UsageError } from './context.ts'

/** The options that every command takes. */
export const settingsArgs = {
  dev: flag('Development mode: create a SECRET_KEY if there is none, log as text, allow a low BCRYPT_COST'),
  'env-file': option('FILE', 'Read settings from FILE instead of .env beside the executable'),
}

export interface SettingsFlags {
  dev?: boolean
  'env-file'?: string
}

/**
 * Reads the configuration and prints its warnings. With `--dev` the SECRET_KEY may be missing.
 * @throws ConfigError with every problem of the configuration; UsageError for an empty `--env-file`
 */
export const readSettings = (context: CommandContext, flags: SettingsFlags): DraftConfig =>
  loadSettings(context, flags).config

/** As `readSettings`, but returns the origin of each value too. */
export function loadSettings(context: CommandContext, flags: SettingsFlags): LoadedConfig {
  const { env, random } = context
  const loaded = loadConfig({ env, dotenv: readDotenvOf(context, flags), dev: flags.dev === true, random })
  for (const warning of loaded.warnings) context.printError(`warning: ${problemLine(warning)}\n`)
  return loaded
}

/**
 * Reads the `.env` file of a command line; undefined when there is none and `--env-file` names none.
 * @throws ConfigError as `readDotenv`; UsageError for an empty `--env-file`
 */
export function readDotenvOf(context: CommandContext, flags: SettingsFlags): DotenvFile | undefined {
  const named = flags['env-file']
  if (named === '') throw new UsageError('--env-file needs the name of a file')
  return readDotenv(named ?? join(dirname(context.executable), '.env'), { required: named !== undefined })
}

/**
 * Reads the configuration as `readSettings` does. With `--dev`, reads or creates the file with a missing SECRET_KEY,
 * and prints the path of a new file.
 * @throws the errors of `readSettings`; ConfigError when the file with the SECRET_KEY cannot be used
 */
export function readConfig(context: CommandContext, flags: SettingsFlags): Config {
  const { config, devSecret } = withSecretKey(readSettings(context, flags), context.random)
  if (devSecret?.created) context.printError(`Created a SECRET_KEY for development in ${devSecret.path}\n`)
  return config
}
