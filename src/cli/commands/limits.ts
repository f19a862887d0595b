import { defineCommand } from 'citty'
import { printable } from '../../lib/printable.ts'
import { jsonFlag } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { printJson } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'

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
      examples: ['limits clear ada'],
      args: { user: userArg, json: jsonFlag },
    },
    async ({ administration }, args) => {
      const user = await findUser(administration, args.user)
      await administration.clearLimits(user)
      if (args.json) return printJson(context, { user_id: user.id })
      context.print(`Cleared the limits of ${printable(user.username)}. Running servers follow within 5 seconds.\n`)
    },
  )
