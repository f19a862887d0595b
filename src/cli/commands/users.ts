import { defineCommand } from 'citty'
import * as accounts from '../../features/administration/administration.ts'
import { findUser, listUsers } from '../../features/users/find.ts'
import { toUserView } from '../../features/users/schemas.ts'
import { roleNames, type User } from '../../features/users/user.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { CommandContext } from '../context.ts'
import { withDeps } from '../database.ts'
import { settingsArgs } from '../settings.ts'

const PAGE = 500

const userArg = {
  user: { type: 'positional', required: true, description: 'Username or email address', valueHint: 'USER' },
} as const

export const users = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'users', description: 'Look after accounts' },
    subCommands: {
      create: create(context),
      'set-password': setPassword(context),
      list: list(context),
      deactivate: change(context, {
        name: 'deactivate',
        description: 'Close an account; its sessions end at once',
        done: 'Deactivated',
        work: accounts.deactivate,
      }),
      activate: change(context, {
        name: 'activate',
        description: 'Open a closed account again',
        done: 'Activated',
        work: accounts.activate,
      }),
      delete: change(context, {
        name: 'delete',
        description: 'Delete an account and all that is stored about the person',
        done: 'Deleted',
        work: accounts.deleteAccount,
      }),
    },
  })

const create = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'create', description: 'Make an account; the password comes from a prompt or standard input' },
    args: {
      email: { type: 'string', required: true, description: 'Its email address', valueHint: 'E' },
      username: { type: 'string', required: true, description: 'Its username', valueHint: 'U' },
      admin: { type: 'boolean', description: 'Give it the role admin' },
      ...settingsArgs,
    },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        const password = await context.readSecret('Password: ')
        const { email, username, admin = false } = args
        const user = await accounts.createAccount(deps, { email, username, password, admin })
        context.print(`Created ${summary(user)}\n`)
      }),
  })

const setPassword = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'set-password', description: 'Set a password from a prompt or standard input; all sessions end' },
    args: { ...userArg, ...settingsArgs },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        const user = await accounts.requireUser(deps, args.user)
        await accounts.setPassword(deps, user, await context.readSecret('New password: '))
        context.print(`Password set for ${summary(user)}\n`)
      }),
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List the accounts' },
    args: { json: { type: 'boolean', description: 'One JSON object a line' }, ...settingsArgs },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        for (let after = 0; ; ) {
          const page = await listUsers(deps, { after, limit: PAGE })
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
  work: (deps: Parameters<typeof accounts.deactivate>[0], user: User) => Promise<void>
}

const change = (context: CommandContext, { name, description, done, work }: Change) =>
  defineCommand({
    meta: { name, description },
    args: { ...userArg, ...settingsArgs },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        const user = await accounts.requireUser(deps, args.user)
        await work(deps, user)
        context.print(`${done} ${summary((await findUser(deps, user.id)) ?? user)}\n`)
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

/** Imported names may hold anything; none of it may steer the terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')
