import { type Clock, type EpochMs, rfc3339 } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { factorsBetween, type ListedFactor } from '../factors/factors.ts'
import { type FullUser, roleNames, type Users } from '../users/users.ts'

/** The version of the format. An import refuses a higher one. */
const VERSION = 1

export interface ExportNeeds {
  store: Pick<Store, 'snapshot'>
  clock: Clock
  users: Pick<Users, 'readAll'>
  audit: Audit
}

export interface ExportOptions {
  withPasswordHashes: boolean
  /** Receives whole lines of JSON. The export reads on when the promise resolves. */
  write: (lines: string) => MaybePromise<void>
  /** Called before the first line with `done` 0, and after each part. */
  onProgress: (done: number, total: number) => MaybePromise<void>
}

/** Writes the users as JSON lines, which `keyward import` reads. */
export interface Export {
  /**
   * Writes a line about the export and one for each user, in the order of their ids, as they were at one moment. The
   * export is audited before it begins.
   * @returns the number of users
   */
  perform(options: ExportOptions): Promise<number>
}

export const createExport = ({ store, clock, users, audit }: ExportNeeds): Export => ({
  async perform({ withPasswordHashes, write, onProgress }) {
    await audit.record({ event: 'users.exported', details: { password_hashes: withPasswordHashes } })
    return store.snapshot(async (db) => {
      const { count, parts } = users.readAll(db)
      const total = await count
      await onProgress(0, total)
      await write(lineOf({ keyward_export: VERSION, exported_at: rfc3339(clock.now()), users: total }))
      let done = 0
      for await (const part of parts) {
        const inactive = part.filter(({ isActive }) => !isActive)
        const reasons = await audit.deactivationReasons(
          db,
          inactive.map(({ id }) => id),
        )
        const factors = await factorsBetween(db, { first: part[0]!.id, last: part.at(-1)!.id })
        const lines = part.map((user) => {
          const more = { reason: reasons.get(user.id) ?? null, factors: factors.get(user.id) ?? [] }
          return lineOf(toWire(user, more, withPasswordHashes))
        })
        await write(lines.join(''))
        done += part.length
        await onProgress(done, total)
      }
      return done
    })
  },
})

const lineOf = (value: object): string => `${JSON.stringify(value)}\n`

const timeOf = (time: EpochMs | null): string | null => (time === null ? null : rfc3339(time))

/** The names are those of a file for an import. */
const toWire = (
  user: FullUser,
  { reason, factors }: { reason: string | null; factors: readonly ListedFactor[] },
  withPasswordHashes: boolean,
) => ({
  id: user.id,
  external_id: user.externalId,
  external_source: user.externalSource,
  email: user.email,
  email_verified: user.emailVerifiedAt !== null,
  email_verified_at: timeOf(user.emailVerifiedAt),
  username: user.username,
  name: user.name,
  locale: user.locale,
  roles: roleNames(user),
  is_active: user.isActive,
  inactive_until: timeOf(user.inactiveUntil),
  inactive_reason: reason,
  invited_at: timeOf(user.invitedAt),
  second_factors: factors.map(({ type, name, createdAt, lastUsedAt }) => ({
    type,
    name,
    created_at: rfc3339(createdAt),
    last_used_at: timeOf(lastUsedAt),
  })),
  created_at: rfc3339(user.createdAt),
  updated_at: rfc3339(user.updatedAt),
  ...(withPasswordHashes && { password_hash: user.passwordHash, password_scheme: user.passwordScheme }),
})
