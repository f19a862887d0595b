import { KeywardError } from '../../errors.ts'
import { type EpochMs, rfc3339 } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { ADMIN } from '../roles/roles.ts'
import type { Level } from '../tokens/tokens.ts'
import { roleNames, type User } from '../users/users.ts'
import type { FactorSettings, FactorsNeeds } from './factors.ts'
import * as store from './policy.store.ts'
import { find as findState } from './state.store.ts'

type Holder = Pick<User, 'id' | 'grantedRoles'>

/** What a policy asks of a user without a second factor. */
export interface Demand {
  /** From when the roles that require a factor, or the login, are withheld. */
  dueAt: EpochMs
  /** True when the user then cannot log in any more; false when the user only loses rights. */
  isForLogin: boolean
}

export interface FactorPolicy {
  /**
   * Returns the user with only those granted roles that count in a session of a level. Below `aal2`, a role that
   * requires a second factor does not count once the grace period of the user is over.
   */
  atLevel<Of extends Holder>(user: Of, level: Level): MaybePromise<Of>
  /** True when a policy wants a second factor of the user. */
  isRequired(user: Holder): Promise<boolean>
  /**
   * Says what a policy asks of a user who has no second factor, at a login or a refresh with one factor. The first call
   * begins the grace period, which the user gets a mail about.
   * @returns undefined when nothing is asked, and when the user has a factor
   */
  demand(user: Holder): Promise<Demand | undefined>
  /** True when a policy wants a second factor of the user, who has none, and the grace period is over. */
  isOverdue(user: Holder): Promise<boolean>
  /**
   * Ends the grace period of a user for whom a policy wants a factor, in the current transaction: for a user whose
   * factors were removed by somebody else, and who must not keep the rights without one.
   */
  endGrace(user: Holder): Promise<void>
  /** Returns those of these users who lack a factor that is required, and can log in otherwise. */
  belowPolicy(ids: readonly number[]): Promise<ReadonlySet<number>>
}

/** The refusal for a right that counts only with a second factor (RFC 9470). */
export const factorMissing = (): KeywardError =>
  new KeywardError('reauthentication_required', {
    level: 'aal2',
    sentence: 'This needs a second factor: show it, or set one up first',
  })

/** What `keyward doctor` tells about second factors. */
export interface FactorReport {
  /** How many users lack a factor that is required. */
  belowPolicy: number
  /** For how many of these the grace period is over, so that they have lost rights, or cannot log in. */
  overdue: number
  /** How many passkeys and security keys were made for another RP ID. They do not work. */
  foreignKeys: number
  /** How many users have no factor beside such a key. */
  stranded: number
}

/** Reads the report of `keyward doctor`. Writes nothing. */
export async function inspectFactors({
  store: db,
  clock,
  settings,
}: Pick<FactorsNeeds, 'store' | 'clock'> & { settings: FactorSettings }): Promise<FactorReport> {
  const below = await store.countBelowPolicy(db, { ...policyOf(settings), now: clock.now() })
  const foreign = await store.countForeignKeys(db, settings.rpId)
  return { belowPolicy: below.users, overdue: below.overdue, foreignKeys: foreign.keys, stranded: foreign.stranded }
}

const policyOf = ({ required, hasPasskeys, rpId }: FactorSettings): store.BelowPolicy => ({
  isForAll: required === 'all',
  always: required === 'none' ? '' : ADMIN,
  rpId: hasPasskeys ? rpId : '',
})

export function factorPolicy({ store: db, clock, audit, mails, settings }: FactorsNeeds): FactorPolicy {
  const policy = policyOf(settings)
  const { isForAll, always } = policy
  const rolesRequiring = async ({ id, grantedRoles }: Holder) =>
    grantedRoles === null ? [] : store.rolesRequiring(db, { userId: id, always })
  const isRequired = async (user: Holder) => isForAll || (await rolesRequiring(user)).length > 0
  const hasFactor = async (userId: number) => {
    const { hasTotp, hasPasskey } = await findState(db, { userId, rpId: policy.rpId })
    return hasTotp || hasPasskey
  }
  const withoutWithheld = async <Of extends Holder>(user: Of): Promise<Of> => {
    const now = clock.now()
    const withheld = (await rolesRequiring(user)).flatMap(({ role, dueAt }) =>
      dueAt !== null && dueAt <= now ? [role] : [],
    )
    if (withheld.length === 0) return user
    const left = roleNames(user).filter((role) => role !== 'user' && !withheld.includes(role))
    return { ...user, grantedRoles: left.length === 0 ? null : left.join(' ') }
  }
  return {
    atLevel: (user, level) => (level !== 'aal1' || user.grantedRoles === null ? user : withoutWithheld(user)),
    isRequired,
    async demand(user) {
      const userId = user.id
      if (!(await isRequired(user)) || (await hasFactor(userId))) return undefined
      const known = await store.dueAtOf(db, userId)
      if (known !== null) return { dueAt: known, isForLogin: isForAll }
      const dueAt = clock.now() + settings.grace
      const isFirst = await db.transaction(
        async () => {
          if (!(await store.announce(db, { userId, dueAt }))) return false
          const due = rfc3339(dueAt)
          await audit.record({ event: 'second_factor.required', userId, details: { due } })
          await mails.notify('second_factor_due', userId, { due: due.slice(0, 10) })
          return true
        },
        { userId },
      )
      return { dueAt: isFirst ? dueAt : ((await store.dueAtOf(db, userId)) ?? dueAt), isForLogin: isForAll }
    },
    async isOverdue(user) {
      const dueAt = (await isRequired(user)) ? await store.dueAtOf(db, user.id) : null
      return dueAt !== null && dueAt <= clock.now() && !(await hasFactor(user.id))
    },
    async endGrace(user) {
      if (await isRequired(user)) await store.makeDue(db, { userId: user.id, dueAt: clock.now() })
    },
    belowPolicy: async (ids) => new Set(await store.belowPolicyAmong(db, ids, policy)),
  }
}
