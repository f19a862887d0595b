import { defineCommand } from 'citty'
import { printable } from '../../lib/printable.ts'
import { flag, optionalPositional } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'

export const sessions = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'sessions', description: 'Manage sessions' },
    subCommands: { end: end(context) },
  })

const endArgs = {
  user: optionalPositional('USER', 'Username or email address'),
  all: flag('End the sessions of all users; asks first'),
  yes: flag('Do not ask'),
  json: flag('Print the result as JSON'),
}

const end = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'end', description: 'End all sessions of a user, or of all users with --all', args: endArgs },
    async ({ administration, config }, { user: name, all = false, yes = false, json = false }) => {
      if ((name !== undefined) === all)
        throw new UsageError('Name either a user, or --all for the sessions of all users')
      const user = name === undefined ? undefined : await administration.requireUser(name)
      if (user === undefined && !yes) await confirmEnd(context)
      const ended = await (user ? administration.endSessions(user) : administration.endAllSessions())
      if (json) return context.print(`${JSON.stringify({ sessions_ended: ended })}\n`)
      const whose = user ? `of ${printable(user.username)}` : 'of all users'
      context.print(`Sessions ${whose} that ended: ${ended}\n`)
      context.print(
        `Keyward refuses their tokens at once. A service that verifies access tokens by itself accepts them until they expire, at most ${config.ACCESS_TOKEN_EXPIRE_MINUTES} minutes.\n`,
      )
    },
  )

async function confirmEnd({ confirm }: CommandContext): Promise<void> {
  const answer = await confirm('End the sessions of all users? Everybody must log in again.')
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('No session was ended')
}
