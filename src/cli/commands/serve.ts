import { defineCommand } from 'citty'
import { withPort } from '../../config/schema.ts'
import type { CommandContext } from '../context.ts'
import { listen } from '../listener.ts'
import { readConfig, settingsArgs } from '../settings.ts'

export const serve = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'serve',
      description: 'Run the server (the default command)',
      examples: ['serve --dev', 'serve --env-file /etc/keyward.env'],
    },
    args: settingsArgs,
    async run({ args }) {
      const settings = readConfig(context, args)
      // `run-server.ts` is loaded on demand. It imports most of the program, which other commands do not need.
      const { explainSecretKey, runServer } = await import('../run-server.ts')
      // The port is opened before the database. With PORT=0 the system chooses the port, and the settings then contain
      // the chosen port. A second server on the same port stops before it upgrades the database.
      const listener = await listen(settings, () => explainSecretKey(settings, context))
      try {
        await runServer(listener, withPort(settings, listener.server.port!), { context, dev: args.dev === true })
      } finally {
        await listener.server.stop(true)
      }
    },
  })
