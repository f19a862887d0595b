import { defineCommand } from 'citty'
import type { FormerValues, SecretsStatus } from '../../features/secrets/secrets.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { flag, jsonFlag } from '../arguments.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { describeFormer, formerMacs } from '../former-macs.ts'
import { serviceCommand } from '../service-command.ts'
import { printFacts, printJson } from '../table.ts'

export const secrets = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'secrets', description: 'Follow a change of SECRET_KEY, and replace the keys that it protects' },
    subCommands: { status: status(context), renew: renew(context) },
  })

const status = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'status',
      description: 'Print how far a change of SECRET_KEY has come, and its next step',
      examples: ['secrets status', 'secrets status --json'],
      args: { json: jsonFlag },
    },
    async ({ secrets, store, clock, config }, { json }) => {
      const found = await secrets.status()
      const { seals, processes } = found
      const isChanging = config.SECRET_KEY_PREVIOUS !== undefined
      const { sessions, deviceUsers, apiKeys } = await formerMacs({ store, clock })
      const next = nextStep(found, isChanging)
      if (json)
        return printJson(context, {
          servers: {
            total: processes.total,
            open_current: processes.openCurrent,
            open_previous: isChanging ? processes.openPrevious : null,
            same_current: processes.sameCurrent,
          },
          seals: { total: seals.total, current: seals.current },
          former_sessions: viewOf(sessions),
          former_device_users: viewOf(deviceUsers),
          former_api_keys: viewOf(apiKeys),
          next_step: next,
        })
      printFacts(context, [
        ['Running servers', processes.total],
        ['… that can open SECRET_KEY', processes.openCurrent],
        ['… that can open SECRET_KEY_PREVIOUS', isChanging ? processes.openPrevious : undefined],
        ['… with this SECRET_KEY', processes.sameCurrent],
        ['Stored keys encrypted with SECRET_KEY', `${seals.current} of ${seals.total}`],
        ['Sessions with a MAC of a former data key', describeFormer(sessions)],
        ['Users with such a device token, at most', describeFormer(deviceUsers)],
        ['API keys with a MAC of a former data key', describeFormer(apiKeys)],
      ])
      context.print(`${next}\n`)
    },
  )

const viewOf = ({ count, until }: FormerValues) => ({ count, until: until === null ? null : rfc3339(until) })

/**
 * Returns the sentence about the next step of a change of SECRET_KEY. A change takes three restarts of all servers:
 * with the new secret as SECRET_KEY_PREVIOUS, then with the two secrets swapped, then with the new secret alone.
 * Keyward does not know which secret is the new one, so it cannot distinguish the first two steps.
 */
export function nextStep({ seals, processes }: SecretsStatus, isChanging: boolean): string {
  const { total, openCurrent, openPrevious, sameCurrent } = processes
  if (!isChanging)
    return openCurrent < total
      ? 'Some servers have another SECRET_KEY: set theirs as SECRET_KEY_PREVIOUS.'
      : 'SECRET_KEY is not being replaced.'
  if (openCurrent < total || openPrevious < total)
    return 'Wait: restart every server with both SECRET_KEY and SECRET_KEY_PREVIOUS first.'
  if (sameCurrent < total) return 'Wait: restart every server with this order of SECRET_KEY and SECRET_KEY_PREVIOUS.'
  if (seals.current < seals.total) return 'Wait: the stored keys are encrypted with SECRET_KEY within a minute or two.'
  return 'Every server is ready. If SECRET_KEY is the old secret, swap the two; if it is the new one, remove SECRET_KEY_PREVIOUS.'
}

const renewArgs = {
  yes: flag('Do it; without this option the command only says what would end'),
  'api-keys': flag('Revoke all API keys too'),
  json: jsonFlag,
}

const renew = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'renew',
      description: 'After a leak: replace the data keys of refresh and device tokens, which ends all sessions',
      examples: ['secrets renew --yes', 'secrets renew --yes --api-keys'],
      args: renewArgs,
    },
    async ({ administration }, { yes = false, 'api-keys': apiKeys = false, json }) => {
      if (!yes)
        throw new UsageError(
          `This ends every session and voids every device token and every link in a mail${apiKeys ? ', and revokes every API key' : ''}: all users log in again. To do it, add --yes`,
        )
      const ended = await administration.renewSecrets({ apiKeys })
      if (json)
        return printJson(context, { sessions_ended: ended.sessions, api_keys_revoked: apiKeys ? ended.apiKeys : null })
      const lines = [
        'Data keys replaced. Running servers follow within 30 seconds.',
        `Sessions ended: ${ended.sessions}. All users log in again.`,
        'Device tokens: all void, until each device has logged in again.',
        'Links and codes in mails: all void; ask for new ones.',
        apiKeys
          ? `API keys revoked: ${ended.apiKeys}.`
          : 'API keys stay valid: a leaked data key does not reveal them.',
        'Secrets of clients and recovery codes stay valid: a leaked data key does not reveal them.',
        'Names of deleted users stay reserved.',
        'Not replaced: the secrets of providers, which a leaked SECRET_KEY and a copy of the database reveal. Make new ones there: keyward providers list, keyward providers update NAME --secret',
        'Not replaced: the secrets of authenticator apps, which the two reveal as well. Ask your users to remove their app and to add it again',
        'Not replaced: the keys that sign access tokens. Revoke those that are active or next: keyward signing-keys list, keyward signing-keys revoke KID',
      ]
      context.print(`${lines.join('\n')}\n`)
    },
  )
