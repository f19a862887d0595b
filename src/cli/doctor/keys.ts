import { secretsOf, signingOf } from '../../config/parts.ts'
import type { Config } from '../../config/schema.ts'
import { inspectTotp } from '../../features/factors/factors.ts'
import { inspectDataKeys, inspectSecrets } from '../../features/secrets/secrets.ts'
import { inspectSigningKeys } from '../../features/signing-keys/signing-keys.ts'
import type { Store } from '../../storage/store.ts'
import { nextStep } from '../commands/secrets.ts'
import type { CommandContext } from '../context.ts'
import { describeFormer, type FormerMacs, formerMacs } from '../former-macs.ts'
import { type Finding, ok, problem, problemOf, warning } from './finding.ts'

const OTHER_SECRET =
  'Set the SECRET_KEY that sealed the keys, as SECRET_KEY or as SECRET_KEY_PREVIOUS; “The secret key” in the chapter “Security” of the guide says what to do when it is lost.'

/** How many users a finding names. */
const SHOWN_USERS = 10

/** Checks that SECRET_KEY opens the stored keys, and how far a change of SECRET_KEY has come. Changes nothing. */
export async function checkKeys(store: Store, config: Config, context: CommandContext): Promise<Finding[]> {
  const secrets = secretsOf(config)
  const found = await attempt('data_keys', async () => {
    const { total, unreadable, missing } = await inspectDataKeys({ store, secrets })
    if (unreadable.length > 0) {
      const message = `SECRET_KEY does not open the data keys of: ${unreadable.join(', ')}.`
      return problem('data_keys', { message, fix: OTHER_SECRET })
    }
    if (missing.length === 0) return ok('data_keys', `SECRET_KEY opens all ${total} data keys.`)
    const message = total === 0 ? 'There are no data keys yet.' : `Data keys are missing: ${missing.join(', ')}.`
    return warning('data_keys', { message, fix: 'Start the server, which makes them.' })
  })
  return [
    found,
    await attempt('signing_keys', () => checkSigningKeys(store, config)),
    await attempt('authenticator_apps', () => checkTotp(store, config)),
    await attempt('secret_key', () => checkChange(store, config, context)),
  ]
}

async function attempt(check: Finding['check'], work: () => Promise<Finding>): Promise<Finding> {
  try {
    return await work()
  } catch (error) {
    return problemOf(check, error, 'Look at the database.')
  }
}

async function checkSigningKeys(store: Store, config: Config): Promise<Finding> {
  const settings = signingOf(config)
  const found = await inspectSigningKeys({ store, secrets: secretsOf(config), settings })
  const { total, unreadable, active, isSecretRevoked } = found
  if (unreadable.length > 0) {
    const message = `SECRET_KEY does not open the signing keys: ${unreadable.join(', ')}.`
    return problem('signing_keys', { message, fix: OTHER_SECRET })
  }
  if (isSecretRevoked)
    return problem('signing_keys', {
      message: 'This JWT_SECRET was revoked, so the server does not start.',
      fix: 'Set another JWT_SECRET, here and where its tokens are verified.',
    })
  if (active === undefined)
    return warning('signing_keys', { message: 'No key signs yet.', fix: 'Start the server, which makes one.' })
  if (active !== settings.alg)
    return warning('signing_keys', {
      message: `The active key signs with ${active}, and JWT_ALG is ${settings.alg}.`,
      fix: 'Restart every server with the same JWT_ALG; the key then changes by itself within some 11 minutes.',
    })
  return ok('signing_keys', `SECRET_KEY opens all ${total} signing keys; ${active} signs.`)
}

async function checkTotp(store: Store, config: Config): Promise<Finding> {
  const { total, unreadable } = await inspectTotp({ store, secrets: secretsOf(config) })
  if (unreadable.length === 0)
    return ok(
      'authenticator_apps',
      total === 0
        ? 'There are no authenticator apps.'
        : `SECRET_KEY opens the secrets of all ${total} authenticator apps.`,
    )
  const some = unreadable.slice(0, SHOWN_USERS).join(', ')
  const more = unreadable.length > SHOWN_USERS ? ` and ${unreadable.length - SHOWN_USERS} more` : ''
  const message = `SECRET_KEY does not open the secrets of authenticator apps of these users, by id: ${some}${more}.`
  return problem('authenticator_apps', { message, fix: OTHER_SECRET })
}

/** Counts what still needs SECRET_KEY_PREVIOUS, and names the next step of a change of SECRET_KEY. */
async function checkChange(store: Store, config: Config, { clock }: CommandContext): Promise<Finding> {
  const status = await inspectSecrets({ store, clock, secrets: secretsOf(config) })
  const { seals, processes } = status
  const isChanging = config.SECRET_KEY_PREVIOUS !== undefined
  const former = formerSentence(await formerMacs({ store, clock }))
  if (!isChanging && processes.openCurrent === processes.total)
    return ok('secret_key', `SECRET_KEY is not being replaced.${former}`)
  const counts = [
    `Stored keys that are not yet encrypted with SECRET_KEY: ${seals.total - seals.current} of ${seals.total}`,
    `running servers with this SECRET_KEY: ${processes.sameCurrent} of ${processes.total}`,
  ]
  const subject = isChanging ? 'SECRET_KEY_PREVIOUS' : 'SECRET_KEY'
  const message = `${counts.join('; ')}.${former}`
  return warning('secret_key', { subject, message, fix: nextStep(status, isChanging) })
}

/** Says what a former data key is still good for; empty when it is nothing. */
function formerSentence({ sessions, deviceUsers, apiKeys }: FormerMacs): string {
  const found = [
    ['sessions', sessions],
    ['users with a device token (at most)', deviceUsers],
    ['API keys', apiKeys],
  ] as const
  const counts = found.flatMap(([name, one]) => (one.count === 0 ? [] : [`${name}: ${describeFormer(one)}`]))
  return counts.length === 0
    ? ''
    : ` A former data key, which stays stored without SECRET_KEY_PREVIOUS, still accepts: ${counts.join('; ')}.`
}
