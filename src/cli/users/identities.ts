import { toIdentityView } from '../../features/social/schemas.ts'
import type { LinkedIdentity } from '../../features/social/social.ts'
import { printable } from '../../lib/printable.ts'
import { jsonFlag, jsonLinesFlag, positional } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { type Column, printJson, printList, timeText } from '../table.ts'
import { findUser, userArg } from '../user-argument.ts'

/* The commands of `keyward users` for the accounts at providers that sign a user in. */

export const identities = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'identities',
      description: 'List the accounts at providers that sign a user in',
      examples: ['users identities ada', 'users identities ada --json'],
      args: { user: userArg, json: jsonLinesFlag },
    },
    async ({ administration, social }, { user: name, json }) => {
      const user = await findUser(administration, name)
      printList(context, await social.listIdentities(user.id), { json, columns, view: toIdentityView })
    },
  )

const columns: Column<LinkedIdentity>[] = [
  { head: 'ID', text: ({ id }) => id, align: 'right' },
  { head: 'PROVIDER', text: ({ provider }) => provider },
  { head: 'ADDRESS', text: ({ email }) => email },
  { head: 'LINKED', text: ({ createdAt }) => timeText(createdAt) },
  { head: 'LAST USED', text: ({ lastUsedAt }) => timeText(lastUsedAt) },
]

export const unlink = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'unlink',
      description: 'Remove an account at a provider from a user; the last way to log in stays',
      examples: ['users unlink ada 3'],
      args: { user: userArg, id: positional('ID', 'The number of the identity, as listed'), json: jsonFlag },
    },
    async ({ administration, social }, { user: name, id, json }) => {
      const user = await findUser(administration, name)
      await social.unlink(user, id)
      if (json) return printJson(context, { id: Number(id) })
      context.print(`Removed the identity ${id} of ${printable(user.username)}\n`)
    },
  )
