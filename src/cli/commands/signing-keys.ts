import { defineCommand } from 'citty'
import { KeywardError } from '../../errors.ts'
import {
  toRevocationView,
  toRotationView,
  toSigningKeyView,
} from '../../features/administration/signing-keys.schemas.ts'
import { type KeySummary, publicKeyAlgorithms } from '../../features/signing-keys/signing-keys.ts'
import { type EpochMs, MINUTE, rfc3339 } from '../../lib/clock.ts'
import { choice, flag, jsonFlag, jsonLinesFlag, positional } from '../arguments.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { printJson, printList } from '../table.ts'

export const signingKeys = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'signing-keys', description: 'Manage the keys that sign access tokens and ID tokens' },
    subCommands: { list: list(context), rotate: rotate(context), revoke: revoke(context) },
  })

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List signing keys, and when a next key may sign, the active key rotates, a retired key expires',
      examples: ['signing-keys list', 'signing-keys list --json'],
      args: { json: jsonLinesFlag },
    },
    async ({ signingKeys }, { json }) => {
      const keys = await signingKeys.list()
      const hasIdTokens = keys.some(({ signs }) => signs === 'id_tokens')
      printList(context, keys, {
        json,
        columns: [
          { head: 'KEY', text: ({ kid }) => kid },
          { head: 'ALG', text: ({ alg, signs }) => (signs === 'id_tokens' ? `${alg}*` : alg) },
          { head: 'STATE', text: ({ state }) => state, colour: ({ state }) => colours[state] },
          { head: 'CHANGES', text: (key) => minuteOf(changeOf(key)) },
        ],
        view: toSigningKeyView,
      })
      // A column for this would not fit into 80 beside the id of a key.
      if (hasIdTokens && !json) context.print('* signs ID tokens and logout tokens; the others are for access tokens\n')
    },
  )

/** When the state ends: a next key may sign, the active key is due to rotate, a retired key is accepted no more. */
const changeOf = ({ state, readyAt, rotatesAt, expiresAt }: KeySummary): EpochMs | null =>
  readyAt ?? rotatesAt ?? (state === 'retired' ? expiresAt : null)

/** Formats the minute after a time, for which 80 columns have space beside the id of a key. */
const minuteOf = (at: EpochMs | null): string | null =>
  at === null
    ? null
    : `${rfc3339(Math.ceil(at / MINUTE) * MINUTE)
        .slice(0, 16)
        .replace('T', ' ')}Z`

const colours = { next: 'dim', active: 'green', retired: 'dim', revoked: 'red' } as const

const nowFlag = flag(
  'Rotate even if the next key was published less than 11 minutes ago; services that cached the key set before may refuse its tokens until then',
)

const idTokensOption = choice(
  'ALG',
  publicKeyAlgorithms,
  'Rotate the key of the ID tokens with this algorithm instead of the key of access tokens',
)

const rotate = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'rotate',
      description: 'Rotate the signing key; existing tokens stay valid until they expire',
      examples: ['signing-keys rotate', 'signing-keys rotate --id-tokens RS256'],
      args: { now: nowFlag, 'id-tokens': idTokensOption, json: jsonFlag },
    },
    async ({ signingKeys }, { now = false, 'id-tokens': idTokens, json }) => {
      const rotation = await signingKeys.rotate({ early: now, idTokens }).catch(mentionNow)
      if (json) return printJson(context, toRotationView(rotation))
      const { active, next, retired } = rotation
      context.print(`Active:   ${active}\n`)
      if (retired) context.print(`Retired:  ${retired.kid}, its tokens are valid until ${rfc3339(retired.until)}\n`)
      context.print(`Next:     ${next}\nRunning servers follow within 30 seconds.\n`)
    },
  )

/**
 * Adds the option `--now` to the message of `key_not_ready`. Keyward does not use this option by itself: only the
 * operator knows whether a service caches the key set.
 */
function mentionNow(error: unknown): never {
  if (error instanceof KeywardError && error.code === 'key_not_ready')
    throw new CommandError(`${error.message}, or at once with --now`)
  throw error
}

const revoke = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'revoke',
      description: 'Revoke a signing key and every token that it signed; refresh tokens stay valid',
      examples: ['signing-keys revoke oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U'],
      args: { kid: positional('KID', 'The id of the key'), json: jsonFlag },
    },
    async ({ signingKeys }, { kid, json }) => {
      const revocation = await signingKeys.revoke(kid)
      if (json) return printJson(context, toRevocationView(revocation))
      const { already, active } = revocation
      context.print(already ? `Already revoked: ${kid}\n` : `Revoked:  ${kid}\n`)
      if (active !== undefined) context.print(`Active:   ${active}\n`)
      context.print(
        'Running servers follow within 30 seconds. A service that caches the key set accepts tokens of this key until it reads the set again, at most 10 minutes.\n',
      )
    },
  )
