import { type Clock, DAY, type EpochMs } from '../../lib/clock.ts'
import { localeOr } from '../../lib/locale.ts'
import type { Store } from '../../storage/store.ts'
import type { Mail, Recipient } from '../mail/mail.ts'
import type { NewUser } from '../users/users.ts'
import * as store from './pending.store.ts'

/** How long a registration waits for the proof of its address, in milliseconds. */
export const PENDING_LIFETIME = DAY

/** A registration that becomes an account when its address is proved. */
export interface PendingRegistration extends NewUser {
  /** The id of its mail. */
  id: string
  passwordHash: string
  passwordScheme: string
  createdAt: EpochMs
  expiresAt: EpochMs
}

/**
 * Registrations that wait for the proof of their address. They reserve neither the address nor the username:
 * the first person who proves the address gets the account. Nobody can therefore block the registration of others.
 * Several registrations may wait with one address.
 */
export interface PendingRegistrations {
  /** Stores a registration, in the current transaction. */
  add(pending: Omit<PendingRegistration, 'createdAt' | 'expiresAt'>): Promise<void>
  /** @returns undefined when the registration is unknown, expired or completed */
  find(id: string): Promise<PendingRegistration | undefined>
  /**
   * Finds the registration that a mail is for. It has the same id as the mail that the registration queued. For a mail
   * that somebody asked for later, it is the newest registration with the address.
   */
  findRecipient(mail: Mail): Promise<Recipient | undefined>
  /** Deletes a registration, in the current transaction. @returns false when it was deleted before */
  remove(id: string): Promise<boolean>
  /** Deletes all registrations with an address, in the current transaction. */
  removeAll(emailKey: string): Promise<void>
  /** Deletes up to `limit` registrations that have expired. @returns how many */
  cleanUp(limit: number): Promise<number>
}

export function createPendingRegistrations({ store: db, clock }: { store: Store; clock: Clock }): PendingRegistrations {
  const find = (id: string) => store.find(db, { id, now: clock.now() })
  return {
    async add(pending) {
      const createdAt = clock.now()
      await store.insert(db, { ...pending, createdAt, expiresAt: createdAt + PENDING_LIFETIME })
    },
    find,
    async findRecipient({ id, recipient, locale }) {
      const emailKey = recipient.toLowerCase()
      const pending = (await find(id)) ?? (await store.findLast(db, { emailKey, now: clock.now() }))
      return (
        pending && {
          userId: null,
          subject: pending.id,
          epoch: null,
          address: pending.email,
          until: pending.expiresAt,
          locale: pending.locale === null ? locale : localeOr(pending.locale),
          username: pending.username,
        }
      )
    },
    remove: (id) => store.remove(db, id),
    removeAll: (emailKey) => store.removeAll(db, emailKey),
    cleanUp: (limit) => store.deleteExpired(db, { now: clock.now(), limit }),
  }
}
