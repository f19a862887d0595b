import { invalidField, KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Limits } from '../limits/limits.ts'
import { invalidEmail, normalizeEmail, trimTyped } from '../users/users.ts'
import type { AskedKind } from './kinds.ts'
import * as store from './store.ts'

/** A mail that anybody can ask for. */
export interface AskedMail {
  kind: AskedKind
  /** The address as it was typed. */
  email: string
  /** The language of the request. The mail uses the language of the user instead, if that language is known. */
  locale: Locale | undefined
  /** The client's network, for limits. */
  client: string
  ip: string
  /** What the provider is called, for `link_identity`. */
  provider?: string
  /**
   * The user who wants `email` as the new address. Keyward sends the mail only while the session epoch of the user is
   * `epoch`.
   */
  asker?: { userId: number; epoch: number }
}

/**
 * Work that `ask` does after the limits have let the mail pass. The function that a `Preparation` returns gets the id
 * of the mail, and runs in the transaction that queues the mail. When either function throws, no mail is queued, and
 * the request does not count in the limits.
 */
export type Preparation = () => Promise<(id: string) => Promise<void>>

export interface AskNeeds {
  store: Store
  clock: Clock
  random: Random
  limits: Pick<Limits, 'reserve' | 'nameKey'>
}

export async function ask(
  {
    store: db,
    clock,
    random,
    limits,
    isOn,
    pumpAfterCommit,
  }: AskNeeds & { isOn: boolean; pumpAfterCommit: () => void },
  { kind, email, locale = 'en', client, ip, asker, provider }: AskedMail,
  prepare?: Preparation,
): Promise<string> {
  if (!isOn) throw new KeywardError('mail_not_configured')
  const address = normalizeEmail(trimTyped(email))
  if (!address) throw invalidField('email', invalidEmail)
  const key = limits.nameKey(address.emailKey)
  await using places = await limits.reserve(
    [
      { rule: 'mail.again', key: `${key}@${kind}` },
      { rule: 'mail.recipient', key },
      { rule: 'mail.prefix', key: client },
    ],
    { userId: asker?.userId, ip },
  )
  const alongside = await prepare?.()
  const id = randomId(random)
  await db.transaction(async () => {
    await alongside?.(id)
    const userId = asker?.userId ?? null
    const values = { provider, ...(asker && { epoch: String(asker.epoch) }) }
    await store.insert(db, { id, now: clock.now(), kind, recipient: address.email, locale, userId, values })
    pumpAfterCommit()
  })
  places.keep()
  return id
}
