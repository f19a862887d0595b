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
  /** The language of the request. A user's own language goes before it. */
  locale: Locale | undefined
  /** The client's network, for limits. */
  client: string
  ip: string
  /**
   * The user whose next address this is to be. The mail is sent only while the user has this session epoch.
   */
  asker?: { userId: number; epoch: number }
}

/** A mail that was asked for, and is not queued yet. Its places in the limits are given back unless it was kept. */
export interface AskedPlace extends AsyncDisposable {
  id: string
  /** Queues the mail, in the current transaction if there is one. */
  queue(): Promise<void>
  /** Leaves the places taken. Call it after the transaction. */
  keep(): void
}

export interface AskNeeds {
  store: Store
  clock: Clock
  random: Random
  limits: Pick<Limits, 'reserve' | 'nameKey'>
}

/** Makes the checks of a request for a mail. See `Mails.ask` for the errors. */
export async function prepareAsked(
  {
    store: db,
    clock,
    random,
    limits,
    isOn,
    pumpAfterCommit,
  }: AskNeeds & { isOn: boolean; pumpAfterCommit: () => void },
  { kind, email, locale = 'en', client, ip, asker }: AskedMail,
): Promise<AskedPlace> {
  if (!isOn) throw new KeywardError('mail_not_configured')
  const address = normalizeEmail(trimTyped(email))
  if (!address) throw invalidField('email', invalidEmail)
  const key = limits.nameKey(address.emailKey)
  const places = await limits.reserve(
    [
      { rule: 'mail.again', key: `${key}@${kind}` },
      { rule: 'mail.recipient', key },
      { rule: 'mail.prefix', key: client },
    ],
    { userId: asker?.userId, ip },
  )
  const id = randomId(random)
  const userId = asker?.userId ?? null
  const values = asker ? { epoch: String(asker.epoch) } : {}
  return {
    id,
    queue: () =>
      db.transaction(async () => {
        await store.insert(db, { id, now: clock.now(), kind, recipient: address.email, locale, userId, values })
        pumpAfterCommit()
      }),
    keep: () => places.keep(),
    [Symbol.asyncDispose]: () => places[Symbol.asyncDispose](),
  }
}

export async function ask(needs: Parameters<typeof prepareAsked>[0], mail: AskedMail): Promise<string> {
  await using asked = await prepareAsked(needs, mail)
  await asked.queue()
  asked.keep()
  return asked.id
}
