import { defineCommand } from 'citty'
import { printable } from '../../lib/printable.ts'
import { positional } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'

export const limits = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'limits', description: 'Manage rate limits' },
    subCommands: { clear: clear(context) },
  })

const clear = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'clear',
      description: 'Forget what was counted for a user, who can then log in at once',
      args: { user: positional('USER', 'Username or email address') },
    },
    async ({ administration }, args) => {
      const user = await administration.requireUser(args.user)
      await administration.clearLimits(user)
      context.print(`Cleared the limits of ${printable(user.username)}. Running servers follow within 5 seconds.\n`)
    },
  )
