import { KeywardError } from '../../errors.ts'
import type { Factors } from '../factors/factors.ts'
import type { Mails } from '../mail/mail.ts'
import type { Roles } from '../roles/roles.ts'
import { nameKeysOf, type User } from '../users/users.ts'
import type { Identity } from './identity.ts'
import { Changed } from './link.ts'
import type { Provider } from './provider.ts'

export interface RuleNeeds {
  roles: Pick<Roles, 'permissionsOf'>
  factors: Pick<Factors, 'stateOf'>
  mails: Pick<Mails, 'isOn'>
}

/**
 * A sign-in with an identity that is not linked yet, between two pages. The browser keeps it, sealed: nothing is stored
 * for a stranger, and nothing is linked before the account is proved.
 */
export interface Pending {
  identity: Identity
  /** The address in question: that of the identity, or the typed one. */
  address: string | undefined
  /** Who has shown that the address is the person's: the provider, or a mailed code; `none` while nobody has. */
  proof: 'none' | 'provider' | 'code'
  /** The mail with the code that was asked for. */
  challengeId: string | undefined
}

/** The ways in which a person can prove an account. */
export interface Ways {
  password: boolean
  /** A code, mailed to the address of the account. */
  code: boolean
  /** As the owner of the address, who drops what somebody else has set before. */
  startOver: boolean
}

/**
 * The rule: what the owner of an account has to prove before an identity with the proved address of the account is
 * linked with it.
 * @returns `none` when the proof of the address is enough
 * @throws KeywardError `invalid_credentials` for an inactive user, and for one who has not accepted the invitation
 * @throws Changed when the user has another address by now
 */
export async function waysFor(
  needs: RuleNeeds,
  { provider, pending: { address, proof }, user }: { provider: Provider; pending: Pending; user: User },
): Promise<Ways | 'none'> {
  if (!mayEnter(user)) throw new KeywardError('invalid_credentials')
  if (address === undefined || nameKeysOf(user).emailKey !== address.toLowerCase()) throw new Changed()
  const isPrivileged = await hasPermissions(needs, user)
  if (isPrivileged) return { password: true, code: false, startOver: false }
  // The second factor is asked for after the password or the code. It is never linked without one of them.
  const { has: hasFactor } = await needs.factors.stateOf(user.id)
  // Somebody else may have made the account with this address, and may know its password. Whoever starts over also drops
  // the factors that somebody else has added.
  if (user.emailVerifiedAt === null) return { password: true, code: false, startOver: true }
  if (proof === 'code' || (provider.link === 'automatic' && !hasFactor)) return 'none'
  return { password: true, code: needs.mails.isOn, startOver: false }
}

/** True when a user has a permission that not every user has. */
async function hasPermissions({ roles }: RuleNeeds, user: User): Promise<boolean> {
  const ofEverybody = await roles.permissionsOf({ id: 0, grantedRoles: null })
  return !(await roles.permissionsOf(user)).isSubsetOf(ofEverybody)
}

/** False for an inactive user, and for one whose only way in is the invitation. */
export const mayEnter = ({ isActive, invitedAt }: User): boolean => isActive && invitedAt === null
