import { invalidField, KeywardError } from '../../errors.ts'
import { PRIVILEGED_INVITATION, type Proof } from '../proofs/proofs.ts'
import {
  invalidUsername,
  isReservedUsername,
  nameKeysOf,
  normalizeUsername,
  reservedUsername,
  trimTyped,
  type User,
} from '../users/users.ts'
import { acceptFirstAdmin } from './accept-first-admin.ts'
import { type FirstAdminLink, findLink } from './first-admin.ts'
import type { Accepted, InvitationsNeeds, Invited } from './invitations.ts'

/** Finds the proof of a token and the invited user. @returns undefined when the invitation is not valid (any more) */
async function findForAccept(
  needs: InvitationsNeeds,
  token: string,
): Promise<{ proof: Proof; user: User } | undefined> {
  const proof = await needs.proofs.find('invitation', token)
  const user = proof && (await needs.proofs.findHolder(proof))
  return proof && user && (await isOpen(needs, { proof, user })) ? { proof, user } : undefined
}

/** Finds the proof of a token and the link of the first administrator. @returns undefined when it is not valid */
async function findForFirstAdmin(
  needs: InvitationsNeeds,
  token: string,
): Promise<{ proof: Proof; link: FirstAdminLink } | undefined> {
  const proof = await needs.proofs.find('invitation', token)
  const link = proof && proof.subject !== null ? await findLink(needs, proof) : undefined
  return proof && link && { proof, link }
}

/** Implements `Invitations.find`. */
export async function findInvited(needs: InvitationsNeeds, token: string): Promise<Invited | undefined> {
  const first = await findForFirstAdmin(needs, token)
  if (first) {
    const account = await needs.users.findByName(first.link.email)
    const username = account?.username ?? ''
    return { email: first.link.email, username, mayRename: !account, isFirstAdmin: true }
  }
  const user = (await findForAccept(needs, token))?.user
  return user && { email: user.email, username: user.username, mayRename: true, isFirstAdmin: false }
}

/**
 * Returns true when an invitation counts with the present rights of the user and of the inviter. A user who got a
 * permission after the invitation was sent has less time than the mail says.
 */
async function isOpen(
  { clock, users, roles }: InvitationsNeeds,
  { proof, user }: { proof: Proof; user: User },
): Promise<boolean> {
  const invitation = await users.findInvitation(user.id)
  if (!invitation) return false
  const isPrivileged = (await roles.permissionsOf(user)).size > 0
  if (isPrivileged && clock.now() >= proof.createdAt + PRIVILEGED_INVITATION) return false
  // A command has no inviter: whoever runs commands has every right.
  if (invitation.by === null) return true
  const inviter = await users.find(invitation.by)
  if (!inviter?.isActive || !(await roles.permissionsOf(inviter)).has('users:write')) return false
  return roles.outranks(inviter, user)
}

/** Implements `Invitations.accept`. */
export async function accept(needs: InvitationsNeeds, given: Accepted): Promise<User> {
  const { store: db, audit, users, passwords, roles, apiKeys, proofs } = needs
  const { token, password, locale = null, client, ip } = given
  const first = await findForFirstAdmin(needs, token)
  if (first)
    try {
      return await acceptFirstAdmin(needs, first, given)
    } catch (error) {
      // Another request with this link has just made the account.
      const isTaken = error instanceof KeywardError && error.code === 'email_taken'
      if (isTaken && !(await findLink(needs, first.proof))) throw new KeywardError('invalid_or_expired')
      throw error
    }
  const found = await findForAccept(needs, token)
  if (!found) throw new KeywardError('invalid_or_expired')
  const { proof, user } = found
  const userId = user.id
  const username = await chosenName(needs, user, given.username)
  const weakness = passwords.weaknessOf(password, { email: user.email, username: username.username })
  if (weakness) throw invalidField('password', weakness)
  const { hash, scheme } = await passwords.hash(password, { client })
  await db.transaction(
    async () => {
      // Nobody can change the rights of the user or of the inviter meanwhile.
      await roles.lock()
      const holder = await proofs.redeem(proof)
      if (!holder || holder === 'none' || !(await isOpen(needs, { proof, user: holder })))
        throw new KeywardError('invalid_or_expired')
      if (!(await users.acceptInvitation({ id: userId, username, hash, scheme, locale })))
        throw new KeywardError('invalid_or_expired')
      await users.setEmailVerified(userId)
      await apiKeys.revokeOf(userId)
      await proofs.voidAll(userId)
      await audit.record({ event: 'invitation.accepted', userId, ip })
      await audit.record({ event: 'email.verified', userId, ip })
    },
    { userId },
  )
  const accepted = await users.find(userId)
  if (!accepted) throw new KeywardError('invalid_or_expired')
  return accepted
}

/**
 * The username that the user has chosen, else the one that the administrator chose.
 * @throws KeywardError `validation_failed`, `username_taken`
 */
async function chosenName({ users }: InvitationsNeeds, user: User, typed: string | null | undefined) {
  const present = { username: user.username, usernameKey: nameKeysOf(user).usernameKey }
  if (typeof typed !== 'string') return present
  const chosen = normalizeUsername(trimTyped(typed))
  if (!chosen) throw invalidField('username', invalidUsername)
  if (chosen.usernameKey === present.usernameKey) return chosen
  // Only an administrator gives one of the reserved words.
  if (isReservedUsername(chosen.username)) throw invalidField('username', reservedUsername)
  await users.checkUsernameFree(chosen.usernameKey)
  return chosen
}
