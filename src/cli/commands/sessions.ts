import { defineCommand } from 'citty'
import { toSessionView } from '../../features/sessions/schemas.ts'
import type { SessionSummary } from '../../features/sessions/sessions.ts'
import { printable } from '../../lib/printable.ts'
import { flag, jsonFlag, jsonLinesFlag } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { printJson, printList, timeText } from '../table.ts'
import { findUser, optionalUserArg, userArg } from '../user-argument.ts'

export const sessions = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'sessions', description: 'Manage sessions' },
    subCommands: { list: list(context), end: end(context) },
  })

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List the sessions of a user that have not ended or expired',
      examples: ['sessions list ada', 'sessions list ada --json'],
      args: { user: userArg, json: jsonLinesFlag },
    },
    async ({ administration, sessions }, { user: name, json }) => {
      const { id: userId } = await findUser(administration, name)
      const view = toSessionView('')
      printList(context, await sessions.listOwn({ userId }), {
        json,
        columns: [
          { head: 'SESSION', text: ({ id }) => id },
          { head: 'KIND', text: kindOf },
          { head: 'DEVICE', text: ({ deviceName }) => deviceName },
          { head: 'ADDRESS', text: ({ ip }) => ip },
          { head: 'LAST USED', text: ({ lastUsedAt }) => timeText(lastUsedAt) },
          { head: 'EXPIRES', text: ({ expiresAt }) => timeText(expiresAt) },
        ],
        view(session) {
          // No session is that of the command.
          const { current: _, ...members } = view(session)
          return members
        },
      })
    },
  )

/** The kind of a session; of an application, its name. */
const kindOf = ({ kind, clientId, clientName, isOffline }: SessionSummary): string =>
  clientId === null ? kind : `${clientName ?? clientId}${isOffline ? ' (offline)' : ''}`

const endArgs = {
  user: optionalUserArg,
  all: flag('End the sessions of all users; asks first'),
  yes: flag('Do not ask'),
  json: jsonFlag,
}

const end = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'end',
      description: 'End all sessions of a user, or of all users with --all',
      examples: ['sessions end ada', 'sessions end --all --yes'],
      args: endArgs,
    },
    async ({ administration, config }, { user: name, all = false, yes = false, json = false }) => {
      if ((name !== undefined) === all)
        throw new UsageError('Name either a user, or --all for the sessions of all users')
      const user = name === undefined ? undefined : await findUser(administration, name)
      if (user === undefined && !yes) await confirmEnd(context)
      const ended = await (user ? administration.endSessions(user) : administration.endAllSessions())
      if (json) return printJson(context, { sessions_ended: ended })
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
