import { defineCommand } from 'citty'
import { withPort } from '../../config/schema.ts'
import type { CommandContext } from '../context.ts'
import { listen } from '../listener.ts'
import { readConfig, settingsArgs } from '../settings.ts'

export const serve = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'serve', description: 'Run the server (the default command)' },
    args: settingsArgs,
    async run({ args }) {
      const settings = readConfig(context, args)
      // The port is opened first: with PORT=0 only the system knows it, and a second start on a used port fails before it
      // touches the database.
      const listener = listen(settings)
      try {
        // Loaded here: it is most of the program, and other commands do not need it.
        const { runServer } = await import('../run-server.ts')
        await runServer(listener, withPort(settings, listener.server.port!), { context, dev: args.dev === true })
      } finally {
        await listener.server.stop(true)
      }
    },
  })
