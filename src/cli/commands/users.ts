import { defineCommand } from 'citty'
import { orderOf } from '../../features/administration/administration.ts'
import { toManagedUserView } from '../../features/administration/schemas.ts'
import { roleNames, type User, type UserMark } from '../../features/users/users.ts'
import { choice, flag, jsonFlag, jsonLinesFlag, option, requiredOption, wholeNumber } from '../arguments.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { exitsOfPrompt } from '../exit-codes.ts'
import { passwordArgs, readPassword } from '../password.ts'
import { serviceCommand } from '../service-command.ts'
import { beginList, type Column, printFacts, printJson, timeText } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'
import { activate, deactivate, deleteUser, free } from '../users/change.ts'
import { factors, resetFactors } from '../users/factors.ts'
import { identities, unlink } from '../users/identities.ts'
import { colourOf, printDone, stateOf } from '../users/print.ts'

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
      deactivate: deactivate(context),
      activate: activate(context),
      delete: deleteUser(context),
      free: free(context),
      identities: identities(context),
      unlink: unlink(context),
      factors: factors(context),
      'reset-factors': resetFactors(context),
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

const orders = ['id', 'created_at', '-created_at', 'email', '-email', 'username', '-username'] as const

const listArgs = {
  search: option('TEXT', 'Only users whose email address, username or id begins with TEXT'),
  role: option('ROLE', 'Only users who have this role'),
  state: choice('STATE', ['active', 'inactive'], 'Only users of this state; invited users are active'),
  sort: choice('ORDER', orders, 'The order, by default id; "-" means descending'),
  'below-policy': flag('Only users who lack a second factor that is required of them'),
  limit: option('N', 'At most this many users'),
  json: jsonLinesFlag,
}

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List users',
      examples: [
        'users list --search ada --state active',
        'users list --sort=-created_at --limit 20',
        'users list --role admin --json',
        'users list --below-policy',
      ],
      args: listArgs,
    },
    async ({ administration, factors }, { search: q, role, state, sort = 'id', limit, json, ...given }) => {
      const onlyBelow = given['below-policy'] === true
      const printed = beginList(context, { json, columns, view: toManagedUserView })
      let left = limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', limit, Number.MAX_SAFE_INTEGER)
      const search = {
        order: orderOf(sort),
        ...(q !== undefined && { q }),
        ...(role !== undefined && { role }),
        ...(state !== undefined && { isActive: state === 'active' }),
      }
      for (let after: UserMark | undefined; ; ) {
        const size = onlyBelow ? PAGE : Math.min(PAGE, left)
        const { items, next } = await administration.listUsers({ ...search, ...(after && { after }), limit: size })
        const below = onlyBelow ? await factors.belowPolicy(items.map(({ id }) => id)) : undefined
        const shown = items.filter(({ id }) => below === undefined || below.has(id)).slice(0, left)
        printed.add(shown)
        left -= shown.length
        if (next === undefined || left === 0) return
        after = next
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
      if (json) return printJson(context, { ...toManagedUserView(user), permissions, sessions: live })
      printFacts(context, [
        ['Id', user.id],
        ['Username', user.username],
        ['Email', user.email],
        ['Verified', timeText(user.emailVerifiedAt) ?? 'no'],
        ['Name', user.name],
        ['Language', user.locale],
        ['State', stateOf(user), colourOf(user)],
        ['Until', user.inactiveUntil === null ? undefined : timeText(user.inactiveUntil)],
        ['Invited', user.invitedAt === null ? undefined : timeText(user.invitedAt)],
        ['Roles', roleNames(user).join(', ')],
        ['Permissions', permissions.join(', ')],
        ['Sessions', live],
        ['Created', timeText(user.createdAt)],
      ])
    },
  )

const columns: Column<User>[] = [
  { head: 'ID', text: ({ id }) => id, align: 'right' },
  { head: 'USERNAME', text: ({ username }) => username },
  { head: 'EMAIL', text: ({ email }) => email },
  { head: 'STATE', text: stateOf, colour: colourOf },
  { head: 'ROLES', text: (user) => roleNames(user).join(',') },
  { head: 'CREATED', text: ({ createdAt }) => timeText(createdAt) },
]
