import { defineCommand } from 'citty'
import { toMadeSecretView } from '../../features/administration/clients.schemas.ts'
import { DAY, HOUR } from '../../lib/clock.ts'
import { jsonFlag, option, positional, wholeNumber } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { printJson, timeText } from '../table.ts'

/** `keyward clients secret`: how one secret replaces another without a pause. */
export const secret = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'secret', description: 'Replace the secret of a client' },
    subCommands: { add: add(context), revoke: revoke(context) },
  })

const idArg = { id: positional('ID', 'The client id; see keyward clients list') }

const add = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'add',
      description: 'Make another secret, which is printed once; a client has two at most',
      examples: ['clients secret add kwa_aebagbafaydqqcikbmga --other-hours 24'],
      args: {
        ...idArg,
        days: option('N', 'Days until the new secret expires; never without this option'),
        'other-hours': option('N', 'Hours until the other secret expires'),
        json: jsonFlag,
      },
    },
    async ({ administration, clock }, { id, days, 'other-hours': hours, json }) => {
      const now = clock.now()
      const made = await administration.addClientSecret(undefined, id, {
        expiresAt: days === undefined ? null : now + wholeNumber('--days', days, 99_999) * DAY,
        othersExpireAt: hours === undefined ? undefined : now + wholeNumber('--other-hours', hours, 99_999) * HOUR,
      })
      if (json) return printJson(context, toMadeSecretView(made))
      const end = made.expiresAt === null ? 'never expires' : `expires ${timeText(made.expiresAt)}`
      context.printError(`Secret ${made.id} of the client; it ${end}. It is shown only once:\n`)
      context.print(`${made.text}\n`)
    },
  )

const revoke = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'revoke',
      description: 'Revoke a secret at once',
      examples: ['clients secret revoke kwa_aebagbafaydqqcikbmga 1'],
      args: {
        ...idArg,
        number: positional('NUMBER', 'The number of the secret; see keyward clients show'),
        json: jsonFlag,
      },
    },
    async ({ administration }, { id, number, json }) => {
      await administration.revokeClientSecret(undefined, { id, secretId: number })
      if (json) return printJson(context, { id: Number(number) })
      context.print(`Revoked secret ${number}\n`)
    },
  )
