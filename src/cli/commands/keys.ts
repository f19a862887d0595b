import { defineCommand } from 'citty'
import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { settingsArgs } from '../settings.ts'
import { withService } from '../with-service.ts'

export const keys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'keys', description: 'Manage the keys that sign access tokens' },
    subCommands: { list: list(context), rotate: rotate(context), revoke: revoke(context) },
    default: 'list',
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List signing keys with their states' },
    args: settingsArgs,
    run: ({ args }) =>
      withService(context, args, async (service) => {
        for (const { kid, alg, state, description } of await service.signingKeys.list())
          context.print(`${kid.padEnd(43)}  ${alg.padEnd(5)}  ${state.padEnd(7)}  ${description}\n`)
      }),
  })

const rotate = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'rotate',
      description: 'Rotate the signing key; existing tokens stay valid until they expire',
    },
    args: {
      now: {
        type: 'boolean',
        description:
          'Rotate even while services may cache a key set without the next key (11 minutes after its publication); some refuse its tokens until then',
      },
      ...settingsArgs,
    },
    run: ({ args }) =>
      withService(context, args, async (service) => {
        const { active, next, retired } = await service.signingKeys
          .rotate({ early: args.now === true })
          .catch(mentionNow)
        context.print(`Signs now: ${active}\n`)
        if (retired) context.print(`Retired:   ${retired.kid}, its tokens are good until ${rfc3339(retired.until)}\n`)
        context.print(`Next:      ${next}\nRunning servers follow within 30 seconds.\n`)
      }),
  })

/** A person may know that no service caches the key set. */
function mentionNow(error: unknown): never {
  if (error instanceof KeywardError && error.code === 'key_not_ready')
    throw new CommandError(`${error.message}, or at once with --now`)
  throw error
}

const revoke = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'revoke',
      description: 'Revoke a signing key and every access token that it signed; refresh tokens stay valid',
    },
    args: {
      kid: { type: 'positional', required: true, description: 'The id of the key', valueHint: 'KID' },
      ...settingsArgs,
    },
    run: ({ args }) =>
      withService(context, args, async (service) => {
        const { already, active } = await service.signingKeys.revoke(args.kid)
        context.print(already ? `It was revoked before: ${args.kid}\n` : `Revoked:   ${args.kid}\n`)
        if (active !== undefined) context.print(`Signs now: ${active}\n`)
        context.print(
          'Running servers follow within 30 seconds. A service that keeps a copy of the key set takes its tokens until it asks again, at the latest after 10 minutes.\n',
        )
      }),
  })
