import { defineCommand } from 'citty'
import { findDevSecret } from '../../config/dev-secret.ts'
import { devSecretPath } from '../../config/dev-secret-path.ts'
import type { DotenvFile } from '../../config/dotenv.ts'
import { loadConfig } from '../../config/load.ts'
import { ConfigError, type ConfigProblem } from '../../config/problems.ts'
import type { DraftConfig } from '../../config/schema.ts'
import { flag, option } from '../arguments.ts'
import { type CommandContext, ExitCode } from '../context.ts'
import { checkClientAddress, checkExample, type ExampleRequest } from '../doctor/client-address.ts'
import { checkClients } from '../doctor/clients.ts'
import { checkDatabase } from '../doctor/database.ts'
import { checkFactors } from '../doctor/factors.ts'
import { checkDisk, checkFiles } from '../doctor/files.ts'
import { checkNames, type Finding, ok, printFindings, problem, skipped, warning, worstOf } from '../doctor/finding.ts'
import { checkFirstAdmin } from '../doctor/first-admin.ts'
import { checkKeys } from '../doctor/keys.ts'
import { checkMail } from '../doctor/mail.ts'
import { checkSettings } from '../doctor/settings.ts'
import { readDotenvOf, type SettingsFlags, settingsArgs } from '../settings.ts'

const args = {
  json: flag('Print JSON for scripts'),
  peer: option('IP', 'Say which address counts as the client of a connection from IP'),
  forwarded: option('TEXT', 'With --peer: the X-Forwarded-For of the request'),
  ...settingsArgs,
}

export const doctor = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'doctor',
      description: 'Check settings, files, database, keys and mail, and say what to do; changes nothing',
      examples: ['doctor --dev', 'doctor --peer 127.0.0.1 --forwarded 203.0.113.9', 'doctor --json'],
    },
    args,
    async run({ args: { json = false, peer, forwarded, ...flags } }) {
      const example = { ...(peer !== undefined && { peer }), ...(forwarded !== undefined && { forwarded }) }
      checkExample(example)
      const findings = await examine(context, flags, example)
      const verdict = worstOf(findings)
      if (json) context.print(`${JSON.stringify({ version: context.version, verdict, findings }, null, 2)}\n`)
      else printFindings(context, findings)
      if (verdict === 'problem') throw new ExitCode(1)
    },
  })

/** Makes every check. A check that a problem prevents is `skipped`. */
async function examine(context: CommandContext, flags: SettingsFlags, example: ExampleRequest): Promise<Finding[]> {
  const { findings, config, dotenv, ofFile } = readConfiguration(context, flags)
  if (config === undefined) {
    const others = checkNames.filter((check) => check !== 'configuration')
    return [...findings, ...others.map((check) => skipped(check, 'The configuration has problems.'))]
  }
  const { SECRET_KEY } = config
  // The files are looked at first, because SQLite deletes an unused log when the database is closed.
  const files = checkFiles(config, { env: context.env, dotenv, warnings: ofFile })
  const database = await checkDatabase(config, context.clock, async (store) => [
    ...(SECRET_KEY === undefined ? withoutSecret() : await checkKeys(store, { ...config, SECRET_KEY }, context)),
    ...(await checkClients(store, config)),
    await checkFirstAdmin(store, config, context.clock),
    ...(await checkFactors(store, config, context.clock)),
  ])
  return [
    ...findings,
    ...checkSettings(config, { dev: flags.dev === true }),
    ...files,
    checkDisk(config),
    ...database,
    ...(await checkMail(config)),
    checkClientAddress(config, example),
  ]
}

/** With `--dev` the SECRET_KEY may be missing, but a database with the tables of Keyward has keys, or had a server. */
const withoutSecret = (): Finding[] => [
  problem('data_keys', {
    message: 'There is no SECRET_KEY, and no file with one beside the database.',
    fix: 'Set the SECRET_KEY of this database; for a new one, start the server with --dev.',
  }),
  skipped('signing_keys', 'There is no SECRET_KEY.'),
  skipped('authenticator_apps', 'There is no SECRET_KEY.'),
  skipped('secret_key', 'There is no SECRET_KEY.'),
]

interface Reading {
  findings: Finding[]
  /** Undefined when the configuration has problems. */
  config: DraftConfig | undefined
  dotenv: DotenvFile | undefined
  /** The warnings about the `.env` file as a whole, which the check `files` reports. */
  ofFile: readonly ConfigProblem[]
}

function readConfiguration(context: CommandContext, flags: SettingsFlags): Reading {
  const about = ({ key, source, message }: ConfigProblem) => ({
    subject: key !== undefined && source !== undefined ? `${key} (${source})` : (key ?? source ?? 'configuration'),
    message: `${message}.`,
    fix: 'Correct or remove it; keyward config prints the settings in force.',
  })
  try {
    const dotenv = readDotenvOf(context, flags)
    // Without `random`, no message suggests a new SECRET_KEY, because a report may be passed on.
    const loaded = loadConfig({ env: context.env, dotenv, dev: flags.dev === true })
    const config = withDevSecret(loaded.config)
    const warnings = loaded.warnings.filter(({ key }) => key !== undefined)
    const findings =
      warnings.length > 0
        ? warnings.map((one) => warning('configuration', about(one)))
        : [ok('configuration', 'Every setting can be used.')]
    return { findings, config, dotenv, ofFile: loaded.warnings.filter(({ key }) => key === undefined) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const findings = error.problems.map((one) => problem('configuration', about(one)))
    return { findings, config: undefined, dotenv: undefined, ofFile: [] }
  }
}

/** Adds the SECRET_KEY of `--dev` from its file, if the file exists. */
const withDevSecret = (config: DraftConfig): DraftConfig =>
  config.SECRET_KEY === undefined
    ? { ...config, SECRET_KEY: findDevSecret(devSecretPath(config.DATABASE_URL)) }
    : config
