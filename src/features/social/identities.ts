import { KeywardError } from '../../errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Accounts, FreshProof } from '../accounts/accounts.ts'
import type { Audit } from '../audit/audit.ts'
import { type Factors, signsIn } from '../factors/factors.ts'
import { accountWrite, type Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import * as store from './identities.store.ts'
import type { LinkedIdentity } from './identity.ts'
import * as providers from './providers.store.ts'

interface IdentitiesNeeds {
  store: Store
  audit: Audit
}

/** What features above `social` need of the identities of users. */
export interface Identities {
  /** The identities of a user, for an export. */
  exportOf(userId: number): Promise<object[]>
  /** True when an identity of an enabled provider can sign the user in. */
  canSignIn(userId: number): Promise<boolean>
  /** Removes all identities of a user, in the current transaction. */
  removeOf(userId: number): Promise<void>
}

export const createIdentities = ({ store: db, audit }: IdentitiesNeeds): Identities => ({
  exportOf: async (userId) => (await store.listOf(db, userId)).map(({ userId: _, ...identity }) => identity),
  canSignIn: (userId) => store.hasOther(db, { userId }),
  async removeOf(userId) {
    for (const { id, provider } of await store.removeOf(db, userId))
      await audit.record({ event: 'identity.unlinked', userId, details: { id, provider } })
  },
})

export interface UnlinkNeeds extends IdentitiesNeeds {
  users: Pick<Users, 'hold' | 'findPassword'>
  accounts: Pick<Accounts, 'requireFresh'>
  factors: Pick<Factors, 'list'>
  limits: Pick<Limits, 'reserve'>
  mails: Pick<Mails, 'notify'>
}

export const listOf = ({ store: db }: UnlinkNeeds, userId: number): Promise<LinkedIdentity[]> =>
  store.listOf(db, userId)

/** Implements `Social.unlinkOwn`. */
export async function unlinkOwn(
  needs: UnlinkNeeds,
  caller: SessionCaller,
  { id, ...proof }: FreshProof & { id: string },
): Promise<void> {
  const { userId } = caller
  await needs.accounts.requireFresh(caller, proof)
  await using place = await needs.limits.reserve([accountWrite(userId)], { userId, ip: proof.ip })
  await unlink(needs, { userId, id: numberOf(id), ip: proof.ip })
  place.keep()
}

/** Implements `Social.unlink`. */
export const unlinkOf = (needs: UnlinkNeeds, user: User, id: string): Promise<void> =>
  unlink(needs, { userId: user.id, id: numberOf(id) })

/** @throws KeywardError `identity_not_found` for a text that is no id */
function numberOf(id: string): number {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw new KeywardError('identity_not_found')
  return Number(id)
}

const unlink = (
  { store: db, audit, users, factors, mails }: UnlinkNeeds,
  { userId, id, ip }: { userId: number; id: number; ip?: string },
): Promise<void> =>
  db.transaction(
    async () => {
      // Two concurrent calls, each of which would leave the other identity, wait for each other here.
      if (!(await users.hold(userId))) throw new KeywardError('identity_not_found')
      const removed = await store.remove(db, { id, userId })
      if (!removed) throw new KeywardError('identity_not_found')
      const password = await users.findPassword(userId)
      const hasOther = password?.hash || (await store.hasOther(db, { id, userId }))
      if (!hasOther && !(await factors.list(userId)).some(signsIn)) throw new KeywardError('last_login_method')
      const { provider } = removed
      await audit.record({ event: 'identity.unlinked', userId, ip, details: { id, provider } })
      const label = (await providers.find(db, provider))?.label ?? provider
      await mails.notify('identity_unlinked', userId, { ip, provider: label })
    },
    { userId },
  )
