import { defineCommand } from 'citty'
import { requireUser } from '../../features/administration/administration.ts'
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from '../../features/api-keys/api-keys.ts'
import { permissions } from '../../features/roles/permissions.ts'
import { DAY, rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { withDeps } from '../database.ts'
import { settingsArgs } from '../settings.ts'

export const apikeys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'apikeys', description: 'Look after API keys, with which services call Keyward' },
    subCommands: { create: create(context), list: list(context), revoke: revoke(context) },
  })

const create = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'create', description: 'Make a key; it is printed once and stored nowhere' },
    args: {
      owner: {
        type: 'string',
        required: true,
        description: 'The account it acts for: username or email address',
        valueHint: 'USER',
      },
      name: { type: 'string', required: true, description: 'What the key is for', valueHint: 'NAME' },
      scope: {
        type: 'string',
        required: true,
        description: `Permissions, separated by commas: ${permissions.join(', ')}`,
        valueHint: 'SCOPES',
      },
      days: { type: 'string', description: 'After how many days it expires; never, if not given', valueHint: 'N' },
      ...settingsArgs,
    },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        if (args.days !== undefined && !/^[1-9]\d{0,4}$/.test(args.days))
          throw new UsageError('--days takes a whole number from 1 to 99999')
        const owner = await requireUser(deps, args.owner)
        const expiresAt = args.days === undefined ? null : deps.clock.now() + Number(args.days) * DAY
        const scopes = args.scope.split(',').map((scope) => scope.trim())
        const { id, text } = await createApiKey(deps, { owner, name: args.name, scopes, expiresAt })
        context.printError(`Key ${id} for ${owner.username}. It is shown this once:\n`)
        context.print(`${text}\n`)
      }),
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List the keys, dead ones too; never their text' },
    args: settingsArgs,
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        for (const key of await listApiKeys(deps)) context.print(`${summary(key, deps.clock.now())}\n`)
      }),
  })

const revoke = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'revoke', description: 'End a key at once' },
    args: { id: { type: 'positional', required: true, description: 'Its number', valueHint: 'ID' }, ...settingsArgs },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        if (!/^[1-9]\d{0,15}$/.test(args.id))
          throw new UsageError('The number of a key is needed; see: keyward apikeys list')
        await revokeApiKey(deps, Number(args.id))
        context.print(`Revoked key ${args.id}\n`)
      }),
  })

const summary = (key: ApiKey, now: number): string => {
  const dead =
    key.revokedAt !== null ? 'revoked' : key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'active'
  const used = key.lastUsedAt === null ? 'never used' : `used ${rfc3339(key.lastUsedAt)}`
  return `${String(key.id).padStart(4)}  ${dead.padEnd(7)}  owner ${key.ownerId}  ${key.scopes}  ${used}  ${JSON.stringify(key.name)}`
}
