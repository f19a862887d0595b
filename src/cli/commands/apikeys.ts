import { defineCommand } from 'citty'
import type { ApiKey } from '../../features/api-keys/api-keys.ts'
import { permissions } from '../../features/roles/roles.ts'
import { DAY, rfc3339 } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import { option, positional, requiredOption, wholeNumber } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'

export const apikeys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'apikeys', description: 'Manage API keys for services' },
    subCommands: { create: create(context), list: list(context), revoke: revoke(context) },
  })

const createArgs = {
  owner: requiredOption('USER', 'The user it acts for: username or email address'),
  name: requiredOption('NAME', 'A name that says what the key is for'),
  scope: requiredOption('SCOPES', `Permissions, separated by commas: ${permissions.join(', ')}`),
  days: option('N', 'Days until it expires; it never does without this option'),
}

const create = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'create', description: 'Create an API key; it is printed once and not stored', args: createArgs },
    async ({ administration, apiKeys, clock }, { owner: user, name, scope, days }) => {
      const lifetime = days === undefined ? undefined : wholeNumber('--days', days, 99_999) * DAY
      const owner = await administration.requireUser(user)
      const expiresAt = lifetime === undefined ? null : clock.now() + lifetime
      const scopes = scope.split(',').map((one) => one.trim())
      const { key, text } = await apiKeys.create({ owner, name, scopes, expiresAt })
      context.printError(`API key ${key.id} for ${printable(owner.username)}. It is shown only once:\n`)
      context.print(`${text}\n`)
    },
  )

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'list', description: 'List API keys, including expired and revoked ones', args: {} },
    async ({ apiKeys, clock }) => {
      for (const key of await apiKeys.list()) context.print(`${summary(key, clock.now())}\n`)
    },
  )

const revoke = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'revoke',
      description: 'Revoke an API key at once',
      args: { id: positional('ID', 'The number of the key; see keyward apikeys list') },
    },
    async ({ apiKeys }, { id }) => {
      await apiKeys.revoke(wholeNumber('ID', id, Number.MAX_SAFE_INTEGER))
      context.print(`Revoked API key ${id}\n`)
    },
  )

const summary = (key: ApiKey, now: number): string => {
  const state =
    key.revokedAt !== null ? 'revoked' : key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'active'
  const used = key.lastUsedAt === null ? 'never used' : `used ${rfc3339(key.lastUsedAt)}`
  return `${String(key.id).padStart(4)}  ${state.padEnd(7)}  owner ${key.ownerId}  ${key.scopes}  ${used}  ${JSON.stringify(key.name)}`
}
