import { defineCommand } from 'citty'
import type { Administration } from '../../features/administration/administration.ts'
import { toUserView } from '../../features/users/schemas.ts'
import { roleNames, type User } from '../../features/users/users.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../with-service.ts'

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
      deactivate: change(context, 'deactivate', 'Deactivated', {
        name: 'deactivate',
        description: 'Deactivate a user; all their sessions end at once',
      }),
      activate: change(context, 'activate', 'Activated', {
        name: 'activate',
        description: 'Activate a deactivated user',
      }),
      delete: change(context, 'deleteUser', 'Deleted', {
        name: 'delete',
        description: 'Delete a user and all data about the person',
      }),
    },
  })

const create = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'create',
    description: 'Create a user; the password is read from a prompt or standard input',
    args: {
      email: { type: 'string', required: true, description: 'Email address', valueHint: 'E' },
      username: { type: 'string', required: true, description: 'Username', valueHint: 'U' },
      admin: { type: 'boolean', description: 'Grant the role admin' },
    },
    async run({ administration }, { email, username, admin = false }) {
      const password = await context.readSecret('Password: ')
      const user = await administration.createUser({ email, username, password, admin })
      context.print(`Created ${summary(user)}\n`)
    },
  })

const setPassword = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'set-password',
    description: 'Set a password, read from a prompt or standard input; all sessions end',
    args: userArg,
    async run({ administration }, args) {
      const user = await administration.requireUser(args.user)
      await administration.setPassword(user, await context.readSecret('New password: '))
      context.print(`Password set for ${summary(user)}\n`)
    },
  })

const list = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'list',
    description: 'List users',
    args: { json: { type: 'boolean', description: 'Print one JSON object per line' } },
    async run({ users }, { json }) {
      for (let after = 0; ; ) {
        const page = await users.list({ after, limit: PAGE })
        for (const user of page) context.print(json ? `${JSON.stringify(toUserView(user))}\n` : `${summary(user)}\n`)
        if (page.length < PAGE) return
        after = page.at(-1)!.id
      }
    },
  })

type Change = keyof Pick<Administration, 'deactivate' | 'activate' | 'deleteUser'>

const change = (context: CommandContext, change: Change, done: string, texts: { name: string; description: string }) =>
  serviceCommand(context, {
    ...texts,
    args: userArg,
    async run({ administration, users }, args) {
      const user = await administration.requireUser(args.user)
      await administration[change](user)
      context.print(`${done} ${summary((await users.find(user.id)) ?? user)}\n`)
    },
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

/** Imported names may hold any character; control characters must not reach the terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
