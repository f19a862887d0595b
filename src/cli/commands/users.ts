import { defineCommand } from 'citty'
import type { Administration } from '../../features/administration/administration.ts'
import { toUserView } from '../../features/users/schemas.ts'
import { roleNames, type User } from '../../features/users/users.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { CommandContext } from '../context.ts'
import { settingsArgs } from '../settings.ts'
import { withService } from '../with-service.ts'

const PAGE = 500

const userArg = {
  user: { type: 'positional', required: true, description: 'Username or email address', valueHint: 'USER' },
} as const

export const users = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'users', description: 'Manage users' },
    subCommands: {
      create: create(context),
      'set-password': setPassword(context),
      list: list(context),
      deactivate: change(context, {
        name: 'deactivate',
        description: 'Deactivate a user; all their sessions end at once',
        done: 'Deactivated',
        change: 'deactivate',
      }),
      activate: change(context, {
        name: 'activate',
        description: 'Activate a deactivated user',
        done: 'Activated',
        change: 'activate',
      }),
      delete: change(context, {
        name: 'delete',
        description: 'Delete a user and all data about the person',
        done: 'Deleted',
        change: 'deleteUser',
      }),
    },
  })

const create = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'create', description: 'Create a user; the password is read from a prompt or standard input' },
    args: {
      email: { type: 'string', required: true, description: 'Email address', valueHint: 'E' },
      username: { type: 'string', required: true, description: 'Username', valueHint: 'U' },
      admin: { type: 'boolean', description: 'Grant the role admin' },
      ...settingsArgs,
    },
    run: ({ args }) =>
      withService(context, args, async (service) => {
        const password = await context.readSecret('Password: ')
        const { email, username, admin = false } = args
        const user = await service.administration.createUser({ email, username, password, admin })
        context.print(`Created ${summary(user)}\n`)
      }),
  })

const setPassword = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'set-password',
      description: 'Set a password, read from a prompt or standard input; all sessions end',
    },
    args: { ...userArg, ...settingsArgs },
    run: ({ args }) =>
      withService(context, args, async (service) => {
        const user = await service.administration.requireUser(args.user)
        await service.administration.setPassword(user, await context.readSecret('New password: '))
        context.print(`Password set for ${summary(user)}\n`)
      }),
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List users' },
    args: { json: { type: 'boolean', description: 'Print one JSON object per line' }, ...settingsArgs },
    run: ({ args }) =>
      withService(context, args, async (service) => {
        for (let after = 0; ; ) {
          const page = await service.users.list({ after, limit: PAGE })
          for (const user of page)
            context.print(args.json ? `${JSON.stringify(toUserView(user))}\n` : `${summary(user)}\n`)
          if (page.length < PAGE) return
          after = page.at(-1)!.id
        }
      }),
  })

interface Change {
  name: string
  description: string
  done: string
  change: keyof Pick<Administration, 'deactivate' | 'activate' | 'deleteUser'>
}

const change = (context: CommandContext, { name, description, done, change }: Change) =>
  defineCommand({
    meta: { name, description },
    args: { ...userArg, ...settingsArgs },
    run: ({ args }) =>
      withService(context, args, async (service) => {
        const { administration, users } = service
        const user = await administration.requireUser(args.user)
        await administration[change](user)
        context.print(`${done} ${summary((await users.find(user.id)) ?? user)}\n`)
      }),
  })

const summary = (user: User): string =>
  [
    String(user.id).padStart(4),
    printable(user.username).padEnd(20),
    user.email.padEnd(32),
    user.isActive ? 'active  ' : 'inactive',
    roleNames(user).join(',').padEnd(12),
    rfc3339(user.createdAt),
  ].join('  ')

/** Imported names may hold any character; none may control the terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
