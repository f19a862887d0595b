import type { User } from '../../features/users/users.ts'
import { parseRfc3339, rfc3339 } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import { flag, jsonFlag, option, positional } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { printJson } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'
import { printDone } from './print.ts'

/* The commands of `keyward users` that change the state of a user. */

const deactivateArgs = {
  user: userArg,
  reason: option('TEXT', 'Why, for the audit log; not about the person'),
  until: option('TIME', 'When the user becomes active by itself, such as 2037-01-31T12:00:00Z'),
  json: jsonFlag,
}

export const deactivate = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'deactivate',
      description: 'Deactivate a user; all their sessions end at once',
      examples: ['users deactivate ada', 'users deactivate ada --until 2037-01-31T12:00:00Z --reason Leave'],
      args: deactivateArgs,
    },
    async ({ administration, users }, { user: name, reason, until: typed, json }) => {
      const until = typed === undefined ? null : parseRfc3339(typed)
      if (until === undefined) throw new UsageError('--until takes a time with its zone, such as 2027-01-31T12:00:00Z')
      const user = await findUser(administration, name)
      await administration.deactivate(user, { until, ...(reason !== undefined && { reason }) })
      const done = until === null ? 'Deactivated' : `Deactivated until ${rfc3339(until)}:`
      printDone(context, done, (await users.find(user.id)) ?? user, json)
    },
  )

export const activate = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'activate',
      description: 'Activate a deactivated user',
      examples: ['users activate ada'],
      args: { user: userArg, json: jsonFlag },
    },
    async ({ administration, users }, { user: name, json }) => {
      const user = await findUser(administration, name)
      await administration.activate(user)
      printDone(context, 'Activated', (await users.find(user.id)) ?? user, json)
    },
  )

export const deleteUser = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'delete',
      description: 'Delete a user and all data about the person; the username stays reserved',
      examples: ['users delete ada', 'users delete ada --yes --json'],
      args: { user: userArg, yes: flag('Do not ask'), json: jsonFlag },
    },
    async ({ administration }, { user: name, yes, json }) => {
      const user = await findUser(administration, name)
      if (!yes) await confirmDeletion(context, user)
      await administration.deleteUser(user)
      printDone(context, 'Deleted', user, json)
    },
  )

async function confirmDeletion({ confirm }: CommandContext, { username, email }: User): Promise<void> {
  const answer = await confirm(`Delete ${printable(username)} (${printable(email)})? This cannot be undone.`)
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('Nothing was deleted')
}

export const free = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'free',
      description: 'Let the former username of a user be taken again',
      examples: ['users free ada'],
      args: { name: positional('NAME', 'The username'), json: jsonFlag },
    },
    async ({ administration }, { name, json }) => {
      if (!(await administration.freeName(name)))
        throw new CommandError('This username is not reserved: no other user had it, or it is free already')
      if (json) return printJson(context, { username: name })
      context.print(`Freed ${printable(name)}\n`)
    },
  )
