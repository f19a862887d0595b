import { defineCommand } from 'citty'
import { toUserView } from '../../features/users/schemas.ts'
import { roleNames, type User } from '../../features/users/users.ts'
import { printable } from '../../lib/printable.ts'
import { choice, flag, jsonFlag, jsonLinesFlag, option, positional, requiredOption, wholeNumber } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { exitsOfPrompt } from '../exit-codes.ts'
import { passwordArgs, readPassword } from '../password.ts'
import { serviceCommand } from '../service-command.ts'
import { beginList, type Column, printFacts, printJson, timeText } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'

const PAGE = 500

export const users = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'users', description: 'Manage users' },
    subCommands: {
      create: create(context),
      invite: invite(context),
      'set-password': setPassword(context),
      list: list(context),
      show: show(context),
      deactivate: change(context, 'deactivate', 'Deactivated', 'Deactivate a user; all their sessions end at once'),
      activate: change(context, 'activate', 'Activated', 'Activate a deactivated user'),
      delete: deleteUser(context),
      free: free(context),
    },
  })

const createArgs = {
  email: requiredOption('EMAIL', 'Email address'),
  username: requiredOption('USERNAME', 'Username'),
  admin: flag('Grant the role admin'),
  invite: flag('Ask for no password: mail the user a link to choose one'),
  ...passwordArgs,
  json: jsonFlag,
}

const create = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'create',
      description: 'Create a user; the password is read from a prompt or standard input, or the user is invited',
      examples: [
        'users create --email ada@example.com --username ada --admin',
        'users create --email bo@example.com --username bo <password.txt',
        'users create --email cy@example.com --username cy --invite',
      ],
      exits: exitsOfPrompt,
      args: createArgs,
    },
    async ({ administration }, { email, username, admin = false, invite: isInvited, json, ...from }) => {
      if (isInvited && from['password-env'] !== undefined)
        throw new UsageError('With --invite the user chooses the password: leave out --password-env')
      const password = isInvited ? undefined : await readPassword(context, 'Password: ', from)
      const user = await administration.createUser({ email, username, password, admin })
      printDone(context, isInvited ? 'Invited' : 'Created', user, json)
    },
  )

const invite = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'invite',
      description: 'Mail another invitation to a user who has not accepted the last one',
      examples: ['users invite cy'],
      args: { user: userArg, json: jsonFlag },
    },
    async ({ administration }, { user: name, json }) => {
      const user = await findUser(administration, name)
      await administration.invite(user)
      printDone(context, 'Invited', user, json)
    },
  )

const setPassword = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'set-password',
      description: 'Set a password, read from a prompt or standard input; all sessions end',
      examples: ['users set-password ada', 'users set-password ada --password-env NEW_PASSWORD'],
      exits: exitsOfPrompt,
      args: { user: userArg, ...passwordArgs, json: jsonFlag },
    },
    async ({ administration }, { user: name, json, ...from }) => {
      const user = await findUser(administration, name)
      await administration.setPassword(user, await readPassword(context, 'New password: ', from))
      printDone(context, 'Password set for', user, json)
    },
  )

const listArgs = {
  search: option('TEXT', 'Only users whose email address or username begins with TEXT'),
  role: option('ROLE', 'Only users who have this role'),
  state: choice('STATE', ['active', 'inactive'], 'Only users of this state; invited users are active'),
  limit: option('N', 'At most this many users'),
  json: jsonLinesFlag,
}

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List users by ascending id',
      examples: ['users list', 'users list --search ada --state active', 'users list --role admin --json'],
      args: listArgs,
    },
    async ({ users }, { search: q, role, state, limit, json }) => {
      const printed = beginList(context, { json, columns, view: toUserView })
      let left = limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', limit, Number.MAX_SAFE_INTEGER)
      for (let after = 0; ; ) {
        const size = Math.min(PAGE, left)
        const page = await users.search({
          after,
          limit: size,
          ...(q !== undefined && { q }),
          ...(role !== undefined && { role }),
          ...(state !== undefined && { isActive: state === 'active' }),
        })
        printed.add(page)
        left -= page.length
        if (page.length < size || left === 0) return
        after = page.at(-1)!.id
      }
    },
  )

const show = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'show',
      description: 'Show a user, their permissions and the number of their sessions',
      examples: ['users show ada', 'users show id:3 --json'],
      args: { user: userArg, json: jsonFlag },
    },
    async ({ administration, roles, sessions }, { user: name, json }) => {
      const user = await findUser(administration, name)
      const permissions = [...(await roles.permissionsOf(user))]
      const live = await sessions.countLive(user.id)
      if (json) return printJson(context, { ...toUserView(user), permissions, sessions: live })
      printFacts(context, [
        ['Id', user.id],
        ['Username', user.username],
        ['Email', user.email],
        ['Proved', timeText(user.emailVerifiedAt) ?? 'no'],
        ['Name', user.name],
        ['Language', user.locale],
        ['State', stateOf(user), colourOf(user)],
        ['Roles', roleNames(user).join(', ')],
        ['Permissions', permissions.join(', ')],
        ['Sessions', live],
        ['Created', timeText(user.createdAt)],
      ])
    },
  )

const change = (context: CommandContext, name: 'deactivate' | 'activate', done: string, description: string) =>
  serviceCommand(
    context,
    {
      name,
      description,
      examples: [`users ${name} ada`, `users ${name} ada@example.com --json`],
      args: { user: userArg, json: jsonFlag },
    },
    async ({ administration, users }, args) => {
      const user = await findUser(administration, args.user)
      await administration[name](user)
      printDone(context, done, (await users.find(user.id)) ?? user, args.json)
    },
  )

const deleteUser = (context: CommandContext) =>
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

const free = (context: CommandContext) =>
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

const stateOf = ({ isActive, invitedAt }: User): string =>
  !isActive ? 'inactive' : invitedAt === null ? 'active' : 'invited'

const colourOf = (user: User) => (stateOf(user) === 'active' ? 'green' : 'yellow')

const columns: Column<User>[] = [
  { head: 'ID', text: ({ id }) => id, align: 'right' },
  { head: 'USERNAME', text: ({ username }) => username },
  { head: 'EMAIL', text: ({ email }) => email },
  { head: 'STATE', text: stateOf, colour: colourOf },
  { head: 'ROLES', text: (user) => roleNames(user).join(',') },
  { head: 'CREATED', text: ({ createdAt }) => timeText(createdAt) },
]

/** Prints what was done to a user: one sentence, or the user as JSON. */
function printDone(context: CommandContext, done: string, user: User, json: boolean | undefined): void {
  const { id, username, email } = user
  if (json) printJson(context, toUserView(user))
  else
    context.print(
      `${done} ${printable(username)} (id ${id}, ${printable(email)}, ${stateOf(user)}, ${roleNames(user).join(', ')})\n`,
    )
}
