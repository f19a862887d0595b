import { defineCommand } from 'citty'
import { findDevSecret } from '../../config/dev-secret.ts'
import { devSecretPath } from '../../config/dev-secret-path.ts'
import { loadConfig } from '../../config/load.ts'
import { ConfigError, type ConfigProblem } from '../../config/problems.ts'
import type { DraftConfig } from '../../config/schema.ts'
import { flag } from '../arguments.ts'
import { type CommandContext, ExitCode } from '../context.ts'
import { checkDatabase } from '../doctor/database.ts'
import { checkNames, type Finding, ok, problem, skipped, textOf, warning, worstOf } from '../doctor/finding.ts'
import { checkKeys } from '../doctor/keys.ts'
import { readDotenvOf, type SettingsFlags, settingsArgs } from '../settings.ts'

const args = {
  json: flag('Print JSON for scripts'),
  ...settingsArgs,
}

export const doctor = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'doctor',
      description: 'Check settings, database and keys, and say what to do; changes nothing',
    },
    args,
    async run({ args: { json = false, ...flags } }) {
      const findings = await examine(context, flags)
      const verdict = worstOf(findings)
      context.print(
        json
          ? `${JSON.stringify({ version: context.version, verdict, findings }, null, 2)}\n`
          : `${textOf(findings)}\n`,
      )
      if (verdict === 'problem') throw new ExitCode(1)
    },
  })

/** Makes every check. A check that a problem prevents is `skipped`. */
async function examine(context: CommandContext, flags: SettingsFlags): Promise<Finding[]> {
  const { findings, config } = readConfiguration(context, flags)
  if (config === undefined) {
    const others = checkNames.filter((check) => check !== 'configuration')
    return [...findings, ...others.map((check) => skipped(check, 'The configuration has problems.'))]
  }
  const { SECRET_KEY } = config
  const database = await checkDatabase(config, context.clock, async (store) =>
    SECRET_KEY === undefined
      ? [problem('data_keys', { message: 'There is no SECRET_KEY.', fix: 'Set the SECRET_KEY of this database.' })]
      : checkKeys(store, { ...config, SECRET_KEY }, context),
  )
  return [...findings, ...database]
}

function readConfiguration(
  context: CommandContext,
  flags: SettingsFlags,
): { findings: Finding[]; config: DraftConfig | undefined } {
  const about = ({ key, source, message }: ConfigProblem) => ({
    subject: key !== undefined && source !== undefined ? `${key} (${source})` : (key ?? source),
    message: `${message}.`,
    fix: 'Correct or remove it; keyward config prints the settings in force.',
  })
  try {
    // Without `random`, no message suggests a new SECRET_KEY, because a report may be passed on.
    const loaded = loadConfig({ env: context.env, dotenv: readDotenvOf(context, flags), dev: flags.dev === true })
    const warnings = loaded.warnings.map((one) => warning('configuration', about(one)))
    const config = withDevSecret(loaded.config)
    const findings = warnings.length > 0 ? warnings : [ok('configuration', 'Every setting can be used.')]
    return { findings, config }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { findings: error.problems.map((one) => problem('configuration', about(one))), config: undefined }
  }
}

/** Adds the SECRET_KEY of `--dev` from its file, if the file exists. */
const withDevSecret = (config: DraftConfig): DraftConfig =>
  config.SECRET_KEY === undefined
    ? { ...config, SECRET_KEY: findDevSecret(devSecretPath(config.DATABASE_URL)) }
    : config
