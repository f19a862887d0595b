import { defineCommand } from 'citty'
import { KeywardError } from '../../errors.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { serviceCommand } from '../with-service.ts'

export const keys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'keys', description: 'Manage the keys that sign access tokens' },
    subCommands: { list: list(context), rotate: rotate(context), revoke: revoke(context) },
    default: 'list',
  })

const list = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'list',
    description: 'List signing keys with their states',
    async run({ signingKeys }) {
      for (const { kid, alg, state, description } of await signingKeys.list())
        context.print(`${kid.padEnd(43)}  ${alg.padEnd(5)}  ${state.padEnd(7)}  ${description}\n`)
    },
  })

const rotate = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'rotate',
    description: 'Rotate the signing key; existing tokens stay valid until they expire',
    args: {
      now: {
        type: 'boolean',
        description:
          'Rotate although some services may not know the next key yet (until 11 minutes after its publication); they refuse its tokens until then',
      },
    },
    async run({ signingKeys }, { now }) {
      const { active, next, retired } = await signingKeys.rotate({ early: now === true }).catch(mentionNow)
      context.print(`Signs now: ${active}\n`)
      if (retired) context.print(`Retired:   ${retired.kid}, its tokens are valid until ${rfc3339(retired.until)}\n`)
      context.print(`Next:      ${next}\nRunning servers follow within 30 seconds.\n`)
    },
  })

/** Only a person can know that no service caches the key set. */
function mentionNow(error: unknown): never {
  if (error instanceof KeywardError && error.code === 'key_not_ready')
    throw new CommandError(`${error.message}, or at once with --now`)
  throw error
}

const revoke = (context: CommandContext) =>
  serviceCommand(context, {
    name: 'revoke',
    description: 'Revoke a signing key and every access token that it signed; refresh tokens stay valid',
    args: { kid: { type: 'positional', required: true, description: 'The id of the key', valueHint: 'KID' } },
    async run({ signingKeys }, { kid }) {
      const { already, active } = await signingKeys.revoke(kid)
      context.print(already ? `It was revoked before: ${kid}\n` : `Revoked:   ${kid}\n`)
      if (active !== undefined) context.print(`Signs now: ${active}\n`)
      context.print(
        'Running servers follow within 30 seconds. A service that caches the key set accepts its tokens until it fetches the set again, at most 10 minutes later.\n',
      )
    },
  })
