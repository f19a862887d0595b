import { defineCommand } from 'citty'
import { toApiKeyView } from '../../features/administration/api-keys.schemas.ts'
import type { ApiKey } from '../../features/api-keys/api-keys.ts'
import { permissions } from '../../features/roles/roles.ts'
import { DAY } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import { jsonFlag, jsonLinesFlag, option, positional, requiredList, requiredOption, wholeNumber } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { type Column, printJson, printList, timeText } from '../table.ts'
import { findUser } from '../user-argument.ts'

export const apikeys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'apikeys', description: 'Manage API keys for services' },
    subCommands: { create: create(context), list: list(context), revoke: revoke(context) },
  })

const createArgs = {
  owner: requiredOption('USER', 'The user it acts for: username, email address, or id:N'),
  name: requiredOption('NAME', 'A name that says what the key is for'),
  scope: requiredList('SCOPES', permissions, 'Permissions, separated by commas'),
  days: option('N', 'Days until it expires; it never does without this option'),
  json: jsonFlag,
}

const create = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'create',
      description: 'Create an API key; it is printed once and not stored',
      examples: ['apikeys create --owner ada --name nginx --scope tokens:introspect'],
      args: createArgs,
    },
    async ({ administration, apiKeys, clock }, { owner: user, name, scope, days, json }) => {
      const lifetime = days === undefined ? undefined : wholeNumber('--days', days, 99_999) * DAY
      const owner = await findUser(administration, user)
      const expiresAt = lifetime === undefined ? null : clock.now() + lifetime
      const scopes = scope.split(',').map((one) => one.trim())
      const { key, text } = await apiKeys.create({ owner, name, scopes, expiresAt })
      if (json) return printJson(context, { ...toApiKeyView(key), key: text })
      context.printError(`API key ${key.id} for ${printable(owner.username)}. It is shown only once:\n`)
      context.print(`${text}\n`)
    },
  )

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List API keys, including expired and revoked ones',
      examples: ['apikeys list', 'apikeys list --json'],
      args: { json: jsonLinesFlag },
    },
    async ({ apiKeys, users, clock }, { json }) => {
      const keys = await apiKeys.list()
      const owners = new Map<number, string>()
      for (const { ownerId } of json ? [] : keys)
        if (!owners.has(ownerId)) owners.set(ownerId, (await users.find(ownerId))?.username ?? `id:${ownerId}`)
      printList(context, keys, { json, columns: columnsOf(owners, clock.now()), view: toApiKeyView })
    },
  )

const revoke = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'revoke',
      description: 'Revoke an API key at once',
      examples: ['apikeys revoke 3'],
      args: { id: positional('ID', 'The number of the key; see keyward apikeys list'), json: jsonFlag },
    },
    async ({ apiKeys }, { id: typed, json }) => {
      const id = wholeNumber('ID', typed, Number.MAX_SAFE_INTEGER)
      await apiKeys.revoke(id)
      if (json) return printJson(context, { id })
      context.print(`Revoked API key ${id}\n`)
    },
  )

const colours = { active: 'green', expired: 'dim', revoked: 'dim' } as const

function columnsOf(owners: ReadonlyMap<number, string>, now: number): Column<ApiKey>[] {
  const stateOf = ({ revokedAt, expiresAt }: ApiKey) =>
    revokedAt !== null ? 'revoked' : expiresAt !== null && expiresAt <= now ? 'expired' : 'active'
  return [
    { head: 'ID', text: ({ id }) => id, align: 'right' },
    { head: 'NAME', text: ({ name }) => name },
    { head: 'OWNER', text: ({ ownerId }) => owners.get(ownerId) ?? null },
    { head: 'STATE', text: stateOf, colour: (key) => colours[stateOf(key)] },
    { head: 'LAST USED', text: ({ lastUsedAt }) => timeText(lastUsedAt) ?? 'never' },
    { head: 'SCOPES', text: ({ scopes }) => scopes.replaceAll(' ', ',') },
  ]
}
