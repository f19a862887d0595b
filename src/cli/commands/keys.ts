import { defineCommand } from 'citty'
import { KeywardError } from '../../errors.ts'
import { listKeys } from '../../features/signing-keys/list.ts'
import { revokeKey } from '../../features/signing-keys/revoke.ts'
import { rotateKeys } from '../../features/signing-keys/rotate.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { withDeps } from '../database.ts'
import { settingsArgs } from '../settings.ts'

export const keys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'keys', description: 'Look after the keys that sign access tokens; a running server follows' },
    subCommands: { list: list(context), rotate: rotate(context), revoke: revoke(context) },
    default: 'list',
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List the keys with their states; never their private parts' },
    args: settingsArgs,
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        for (const { kid, alg, state, description } of await listKeys(deps))
          context.print(`${kid.padEnd(43)}  ${alg.padEnd(5)}  ${state.padEnd(7)}  ${description}\n`)
      }),
  })

const rotate = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'rotate',
      description: 'Let the next key sign; tokens of the present one stay good until they expire',
    },
    args: {
      now: {
        type: 'boolean',
        description:
          'Also while services may still keep a copy of the key set without it (11 minutes from its publication); those that do not ask again for an unknown key refuse its tokens until then',
      },
      ...settingsArgs,
    },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        const { active, next, retired } = await rotateKeys(deps, { early: args.now === true }).catch(sayHowElse)
        context.print(`Signs now: ${active}\n`)
        if (retired) context.print(`Retired:   ${retired.kid}, its tokens are good until ${rfc3339(retired.until)}\n`)
        context.print(`Next:      ${next}\nRunning servers follow within 30 seconds.\n`)
      }),
  })

/** What waits for the caches of others need not wait for whoever knows that there are none. */
function sayHowElse(error: unknown): never {
  if (error instanceof KeywardError && error.code === 'key_not_ready')
    throw new CommandError(`${error.message}, or at once with --now`)
  throw error
}

const revoke = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'revoke',
      description: 'Refuse every access token that a key signed; clients get new ones with their refresh tokens',
    },
    args: { kid: { type: 'positional', required: true, description: 'The key', valueHint: 'KID' }, ...settingsArgs },
    run: ({ args }) =>
      withDeps(context, args, async (deps) => {
        const { already, active } = await revokeKey(deps, { kid: args.kid })
        context.print(already ? `It was revoked before: ${args.kid}\n` : `Revoked:   ${args.kid}\n`)
        if (active !== undefined) context.print(`Signs now: ${active}\n`)
        context.print(
          'Running servers follow within 30 seconds. A service that keeps a copy of the key set takes its tokens until it asks again, at the latest after 10 minutes.\n',
        )
      }),
  })
