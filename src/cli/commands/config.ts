import { defineCommand } from 'citty'
import { findDevSecret } from '../../config/dev-secret.ts'
import { devSecretPath } from '../../config/dev-secret-path.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { configView, maskedConfig } from '../../config/print.ts'
import { jsonFlag } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { loadSettings, settingsArgs } from '../settings.ts'
import { printJson } from '../table.ts'

export const config = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'config',
      description: 'Check the configuration and print it with the origin of each value, secrets masked',
      examples: ['config --dev', 'config --env-file /etc/keyward.env --json'],
    },
    args: { json: jsonFlag, ...settingsArgs },
    run({ args }) {
      const { config, origins } = withDevSecret(loadSettings(context, args))
      if (args.json === true) return printJson(context, configView(config, origins))
      context.print(`${maskedConfig(config, origins).join('\n')}\n`)
    },
  })

/**
 * Adds the SECRET_KEY of `--dev` from its file, and the path of the file as the origin. A missing file is not created,
 * because `keyward config` only prints.
 */
function withDevSecret({ config, origins }: LoadedConfig): Pick<LoadedConfig, 'config' | 'origins'> {
  if (config.SECRET_KEY !== undefined) return { config, origins }
  const path = devSecretPath(config.DATABASE_URL)
  const SECRET_KEY = findDevSecret(path)
  const origin = SECRET_KEY === undefined ? `--dev: created in ${path} when the server starts` : `--dev: ${path}`
  return { config: { ...config, SECRET_KEY }, origins: new Map(origins).set('SECRET_KEY', origin) }
}
