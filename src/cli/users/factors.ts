import { toManagedFactorView } from '../../features/administration/factors.schemas.ts'
import type { Factor } from '../../features/factors/factors.ts'
import type { User } from '../../features/users/users.ts'
import { printable } from '../../lib/printable.ts'
import { flag, jsonFlag, jsonLinesFlag } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { beginList, type Column, printJson, timeText } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'

/* The commands of `keyward users` for second factors. */

export const factors = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'factors',
      description: 'List the second factors of a user',
      examples: ['users factors ada', 'users factors ada --json'],
      args: { user: userArg, json: jsonLinesFlag },
    },
    async ({ administration, factors }, { user: name, json }) => {
      const user = await findUser(administration, name)
      beginList(context, { json, columns, view: toManagedFactorView }).add(await factors.list(user.id))
    },
  )

const columns: Column<Factor>[] = [
  { head: 'ID', text: ({ id }) => id },
  { head: 'TYPE', text: ({ type }) => type },
  { head: 'NAME', text: ({ name }) => name },
  { head: 'USABLE', text: ({ isUsable }) => (isUsable ? 'yes' : 'no') },
  { head: 'CREATED', text: ({ createdAt }) => timeText(createdAt) },
  { head: 'LAST USED', text: ({ lastUsedAt }) => timeText(lastUsedAt) ?? 'never' },
]

const resetArgs = {
  user: userArg,
  totp: flag('Only authenticator apps'),
  passkeys: flag('Only passkeys and security keys'),
  yes: flag('Do not ask'),
  json: jsonFlag,
}

export const resetFactors = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'reset-factors',
      description: 'Remove the second factors of a user, who has lost them; all their sessions end',
      examples: ['users reset-factors ada', 'users reset-factors ada --totp --yes'],
      args: resetArgs,
    },
    async ({ administration }, { user: name, totp, passkeys, yes, json }) => {
      if (totp && passkeys) throw new UsageError('Give --totp or --passkeys, or none of them for all factors')
      const user = await findUser(administration, name)
      if (!yes) await confirmReset(context, user)
      const removed = await administration.clearFactors(user, totp ? 'totp' : passkeys ? 'passkeys' : 'all')
      if (json) return printJson(context, { id: user.id, removed })
      const done = removed.length === 0 ? 'Nothing to do: no such factor of' : `Removed ${removed.join(', ')} of`
      context.print(`${done} ${printable(user.username)}\n`)
    },
  )

async function confirmReset({ confirm }: CommandContext, { username, email }: User): Promise<void> {
  const who = `${printable(username)} (${printable(email)})`
  const answer = await confirm(`Remove second factors of ${who}? The password alone is then enough to log in.`)
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('Nothing was removed')
}
