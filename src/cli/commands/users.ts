import { defineCommand } from 'citty'
import { toUserView } from '../../features/users/schemas.ts'
import { roleNames, type User } from '../../features/users/users.ts'
import { parseRfc3339, rfc3339 } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import { flag, option, positional, requiredOption } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'

const PAGE = 500

const userArg = { user: positional('USER', 'Username or email address') }

export const users = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'users', description: 'Manage users' },
    subCommands: {
      create: create(context),
      invite: invite(context),
      'set-password': setPassword(context),
      list: list(context),
      deactivate: deactivate(context),
      activate: activate(context),
      delete: deleteUser(context),
      free: free(context),
    },
  })

const createArgs = {
  email: requiredOption('E', 'Email address'),
  username: requiredOption('U', 'Username'),
  admin: flag('Grant the role admin'),
  invite: flag('Ask for no password: mail the user a link to choose one'),
}

const create = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'create',
      description: 'Create a user; the password is read from a prompt or standard input, or the user is invited',
      args: createArgs,
    },
    async ({ administration }, { email, username, admin = false, invite: isInvited }) => {
      const password = isInvited ? undefined : await context.readSecret('Password: ')
      const user = await administration.createUser({ email, username, password, admin })
      context.print(`${isInvited ? 'Invited' : 'Created'} ${summary(user)}\n`)
    },
  )

const invite = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'invite',
      description: 'Mail another invitation to a user who has not accepted the last one',
      args: userArg,
    },
    async ({ administration }, args) => {
      const user = await administration.requireUser(args.user)
      await administration.invite(user)
      context.print(`Invited ${summary(user)}\n`)
    },
  )

const setPassword = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'set-password',
      description: 'Set a password, read from a prompt or standard input; all sessions end',
      args: userArg,
    },
    async ({ administration }, args) => {
      const user = await administration.requireUser(args.user)
      await administration.setPassword(user, await context.readSecret('New password: '))
      context.print(`Password set for ${summary(user)}\n`)
    },
  )

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'list', description: 'List users', args: { json: flag('Print one JSON object per line') } },
    async ({ users }, { json }) => {
      for (let after = 0; ; ) {
        const page = await users.list({ after, limit: PAGE })
        for (const user of page) context.print(`${json ? JSON.stringify(toUserView(user)) : summary(user)}\n`)
        if (page.length < PAGE) return
        after = page.at(-1)!.id
      }
    },
  )

const deactivate = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'deactivate',
      description: 'Deactivate a user; all their sessions end at once',
      args: {
        ...userArg,
        reason: option('TEXT', 'Why, for the audit log; not about the person'),
        until: option('TIME', 'When the user becomes active by itself, such as 2027-01-31T12:00:00Z'),
      },
    },
    async ({ administration, users }, { user: name, reason, until: typed }) => {
      const until = typed === undefined ? null : parseRfc3339(typed)
      if (until === undefined) throw new UsageError('--until takes a time with its zone, such as 2027-01-31T12:00:00Z')
      const user = await administration.requireUser(name)
      await administration.deactivate(user, { until, ...(reason !== undefined && { reason }) })
      const end = until === null ? '' : `  until ${rfc3339(until)}`
      context.print(`Deactivated ${summary((await users.find(user.id)) ?? user)}${end}\n`)
    },
  )

const activate = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'activate', description: 'Activate a deactivated user', args: userArg },
    async ({ administration, users }, args) => {
      const user = await administration.requireUser(args.user)
      await administration.activate(user)
      context.print(`Activated ${summary((await users.find(user.id)) ?? user)}\n`)
    },
  )

const deleteUser = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'delete',
      description: 'Delete a user and all data about the person; the username stays reserved',
      args: { ...userArg, yes: flag('Do not ask') },
    },
    async ({ administration }, { user: name, yes }) => {
      const user = await administration.requireUser(name)
      if (!yes) await confirmDeletion(context, user)
      await administration.deleteUser(user)
      context.print(`Deleted ${summary(user)}\n`)
    },
  )

async function confirmDeletion({ confirm }: CommandContext, { username, email }: User): Promise<void> {
  const answer = await confirm(`Delete ${printable(username)} (${printable(email)})? This cannot be undone.`)
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('Nothing was deleted')
}

const free = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'free',
      description: 'Let the former username of a user be taken again',
      args: { name: positional('NAME', 'The username') },
    },
    async ({ administration }, { name }) => {
      if (!(await administration.freeName(name)))
        throw new CommandError('This username is not reserved: no other user had it, or it is free already')
      context.print(`Freed ${printable(name)}\n`)
    },
  )

const summary = (user: User): string =>
  [
    String(user.id).padStart(4),
    printable(user.username).padEnd(20),
    printable(user.email).padEnd(32),
    stateOf(user).padEnd(8),
    roleNames(user).join(',').padEnd(12),
    rfc3339(user.createdAt),
  ].join('  ')

const stateOf = ({ isActive, invitedAt }: User): string =>
  !isActive ? 'inactive' : invitedAt === null ? 'active' : 'invited'
