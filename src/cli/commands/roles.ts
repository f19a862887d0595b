import { defineCommand } from 'citty'
import { toRoleView } from '../../features/administration/roles.schemas.ts'
import { toManagedUserView } from '../../features/administration/schemas.ts'
import { isBuiltIn, permissions, type Role, type RoleText } from '../../features/roles/roles.ts'
import { roleNames } from '../../features/users/users.ts'
import { printable } from '../../lib/printable.ts'
import { choice, flag, jsonFlag, jsonLinesFlag, listOption, option, positional } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { beginList, type Column, printFacts, printJson } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'

const PAGE = 500

export const roles = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'roles', description: 'Manage roles, and who has them' },
    subCommands: {
      list: list(context),
      show: show(context),
      create: create(context),
      update: update(context),
      delete: deleteRole(context),
      grant: grant(context),
      revoke: revoke(context),
    },
  })

const roleArg = { role: positional('ROLE', 'The name of the role') }

const yesNo = ['yes', 'no'] as const

const textArgs = {
  permissions: listOption('WORDS', permissions, 'All permissions of the role, separated by commas'),
  'require-second-factor': choice('YES|NO', yesNo, 'The role counts only in sessions with a second factor'),
  description: option('TEXT', 'What the role is for'),
  json: jsonFlag,
}

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List roles with their permissions',
      examples: ['roles list', 'roles list --json'],
      args: { json: jsonLinesFlag },
    },
    async ({ roles }, { json }) => {
      const printed = beginList(context, { json, columns, view: toRoleView })
      for (let after = ''; ; ) {
        const page = await roles.list({ after, limit: PAGE })
        printed.add(page)
        if (page.length < PAGE) return
        after = page.at(-1)!.name
      }
    },
  )

const show = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'show',
      description: 'Show a role; keyward users list --role ROLE lists who has it',
      examples: ['roles show support'],
      args: { ...roleArg, json: jsonFlag },
    },
    async ({ administration }, { role: name, json }) => {
      const role = await administration.findRole(name)
      if (json) printJson(context, toRoleView(role))
      else printRole(context, role)
    },
  )

const create = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'create',
      description: 'Create a role, which nobody has yet',
      examples: [
        'roles create editor --description Writes',
        'roles create support --permissions users:read,audit:read --json',
      ],
      args: { ...roleArg, ...textArgs },
    },
    async ({ administration }, { role: name, json, ...text }) => {
      const role = await administration.addRole({ name, ...textOf(text) })
      if (json) return printJson(context, toRoleView(role))
      context.print(`Created the role ${role.name}\n`)
      printRole(context, role)
    },
  )

const update = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'update',
      description: 'Change a role, at once for every user who has it',
      examples: [
        'roles update support --permissions users:read,users:write',
        'roles update support --permissions ""',
        'roles update support --require-second-factor yes',
      ],
      args: { ...roleArg, ...textArgs },
    },
    async ({ administration }, { role: name, json, ...given }) => {
      const text = textOf(given)
      if (Object.keys(text).length === 0)
        throw new UsageError('Say what to change: --permissions, --description or --require-second-factor')
      const role = await administration.editRole(name, text)
      if (json) return printJson(context, toRoleView(role))
      context.print(`Changed the role ${role.name}\n`)
      printRole(context, role)
    },
  )

const deleteRole = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'delete',
      description: 'Delete a role, and withdraw it from every user',
      examples: ['roles delete support', 'roles delete support --yes'],
      args: { ...roleArg, yes: flag('Do not ask'), json: jsonFlag },
    },
    async ({ administration }, { role: name, yes, json }) => {
      const { name: known } = await administration.findRole(name)
      if (!yes && !isBuiltIn(known)) await confirmDeletion(context, known)
      const role = await administration.dropRole(known)
      if (json) return printJson(context, toRoleView(role))
      context.print(`Deleted the role ${role.name}\n`)
    },
  )

async function confirmDeletion({ confirm }: CommandContext, name: string): Promise<void> {
  const answer = await confirm(`Delete the role ${name} and withdraw it from every user?`)
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('Nothing was deleted')
}

const holderArgs = { user: userArg, ...roleArg, json: jsonFlag }

const grant = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'grant',
      description: 'Grant a role to a user, at once; new tokens have it',
      examples: ['roles grant ada admin'],
      args: holderArgs,
    },
    async ({ administration, users }, { user: typed, role, json }) => {
      const user = await findUser(administration, typed)
      const isNew = await administration.giveRole(user, role)
      const now = (await users.find(user.id)) ?? user
      if (json) return printJson(context, toManagedUserView(now))
      const done = isNew ? `Granted ${role} to` : `Nothing to do: ${role} is already a role of`
      context.print(`${done} ${printable(now.username)}. Roles: ${roleNames(now).join(', ')}\n`)
    },
  )

const revoke = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'revoke',
      description: 'Withdraw a role from a user, at once; the last administrator stays',
      examples: ['roles revoke ada admin'],
      args: holderArgs,
    },
    async ({ administration, users, config }, { user: typed, role, json }) => {
      const user = await findUser(administration, typed)
      const wasHeld = await administration.takeRole(user, role)
      const now = (await users.find(user.id)) ?? user
      if (json) return printJson(context, toManagedUserView(now))
      const done = wasHeld ? `Withdrew ${role} from` : `Nothing to do: ${role} is no role of`
      context.print(`${done} ${printable(now.username)}. Roles: ${roleNames(now).join(', ')}\n`)
      if (wasHeld)
        context.print(
          `A service that verifies access tokens by itself reads the role in them until they expire, at most ${config.ACCESS_TOKEN_EXPIRE_MINUTES} minutes.\n`,
        )
    },
  )

const columns: Column<Role>[] = [
  { head: 'ROLE', text: ({ name }) => name, colour: ({ name }) => (isBuiltIn(name) ? 'dim' : undefined) },
  { head: 'PERMISSIONS', text: (role) => permissionsOf(role) },
  { head: 'DESCRIPTION', text: ({ description }) => description },
]

/** The role `admin` has every permission, also those of later versions, so the list would be long and incomplete. */
const permissionsOf = ({ name, permissions: given }: Role): string => (name === 'admin' ? 'all' : given.join(','))

const printRole = (context: CommandContext, role: Role): void =>
  printFacts(context, [
    ['Role', role.name],
    ['Description', role.description],
    ['Permissions', permissionsOf(role)],
    ['Second factor', role.requiresSecondFactor ? 'required' : undefined],
    ['Built in', isBuiltIn(role.name) ? 'yes, it cannot be changed or deleted' : undefined],
  ])

interface GivenText {
  permissions?: string | undefined
  description?: string | undefined
  'require-second-factor'?: (typeof yesNo)[number] | undefined
}

/** Reads the options of a role. An empty list of permissions is `--permissions ""`. */
const textOf = ({ permissions: words, description, 'require-second-factor': required }: GivenText): RoleText => ({
  ...(words !== undefined && {
    permissions: words
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  }),
  ...(description !== undefined && { description }),
  ...(required !== undefined && { requiresSecondFactor: required === 'yes' }),
})
