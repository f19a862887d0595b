import { defineCommand } from 'citty'
import type { ApiKey } from '../../features/api-keys/api-keys.ts'
import { permissions } from '../../features/roles/roles.ts'
import { DAY, rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { serviceCommand } from '../with-service.ts'

export const apikeys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'apikeys', description: 'Manage API keys for services' },
    subCommands: { create: create(context), list: list(context), revoke: revoke(context) },
  })

const create = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'create',
    description: 'Create an API key; it is printed once and not stored',
    args: {
      owner: {
        type: 'string',
        required: true,
        description: 'The user it acts for: username or email address',
        valueHint: 'USER',
      },
      name: { type: 'string', required: true, description: 'A name that says what the key is for', valueHint: 'NAME' },
      scope: {
        type: 'string',
        required: true,
        description: `Permissions, separated by commas: ${permissions.join(', ')}`,
        valueHint: 'SCOPES',
      },
      days: { type: 'string', description: 'Days until it expires; by default it never does', valueHint: 'N' },
    },
    async run({ administration, apiKeys, clock }, { days, name, ...args }) {
      if (days !== undefined && !/^[1-9]\d{0,4}$/.test(days))
        throw new UsageError('--days takes a whole number from 1 to 99999')
      const owner = await administration.requireUser(args.owner)
      const expiresAt = days === undefined ? null : clock.now() + Number(days) * DAY
      const scopes = args.scope.split(',').map((scope) => scope.trim())
      const { id, text } = await apiKeys.create({ owner, name, scopes, expiresAt })
      context.printError(`Key ${id} for ${owner.username}. It is shown only this once:\n`)
      context.print(`${text}\n`)
    },
  })

const list = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'list',
    description: 'List API keys, including expired and revoked ones',
    async run({ apiKeys, clock }) {
      for (const key of await apiKeys.list()) context.print(`${summary(key, clock.now())}\n`)
    },
  })

const revoke = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'revoke',
    description: 'Revoke an API key at once',
    args: { id: { type: 'positional', required: true, description: 'The number of the key', valueHint: 'ID' } },
    async run({ apiKeys }, { id }) {
      if (!/^[1-9]\d{0,15}$/.test(id)) throw new UsageError('ID takes the number of a key; see: keyward apikeys list')
      await apiKeys.revoke(Number(id))
      context.print(`Revoked key ${id}\n`)
    },
  })

const summary = (key: ApiKey, now: number): string => {
  const state =
    key.revokedAt !== null ? 'revoked' : key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'active'
  const used = key.lastUsedAt === null ? 'never used' : `used ${rfc3339(key.lastUsedAt)}`
  return `${String(key.id).padStart(4)}  ${state.padEnd(7)}  owner ${key.ownerId}  ${key.scopes}  ${used}  ${JSON.stringify(key.name)}`
}
