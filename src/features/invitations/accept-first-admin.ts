import { invalidField, KeywardError, MISSING } from '../../errors.ts'
import type { Proof } from '../proofs/proofs.ts'
import { ADMIN } from '../roles/roles.ts'
import { invalidUsername, nameKeysOf, normalizeUsername, trimTyped, type User } from '../users/users.ts'
import { type FirstAdminLink, findLink, removeLink, tidyFirstAdmin } from './first-admin.ts'
import type { Accepted, InvitationsNeeds } from './invitations.ts'

/**
 * Makes the first administrator out of the reader of the link: a new account, or the account that has the address. The
 * reader has shown the link, not that the account is theirs. So everything that was set for the account before is
 * dropped, whether the address was proved or not: password, second factors and passkeys, sessions, known devices, API
 * keys, linked identities, mailed links, and the reservations of former addresses, with which somebody could take the
 * account back.
 */
export async function acceptFirstAdmin(
  needs: InvitationsNeeds,
  { proof, link }: { proof: Proof; link: FirstAdminLink },
  given: Accepted,
): Promise<User> {
  const { store: db, users, passwords } = needs
  const account = await users.findByName(link.email)
  if (account && !account.isActive) throw new KeywardError('invalid_or_expired')
  const names = { email: link.email, emailKey: link.emailKey, ...readName(account, given.username) }
  const weakness = passwords.weaknessOf(given.password, names)
  if (weakness) throw invalidField('password', weakness)
  if (!account) await users.checkFree(names)
  const { hash, scheme } = await passwords.hash(given.password, { client: given.client })
  /** Makes the user an administrator, in the transaction that stores the password. */
  const promote = async (userId: number) => {
    await needs.roles.lock()
    if (!(await findLink(needs, proof)) || (await needs.proofs.redeem(proof)) !== 'none')
      throw new KeywardError('invalid_or_expired')
    await removeLink(needs)
    await needs.roles.grant({ userId, role: ADMIN })
    await needs.audit.record({ event: 'invitation.accepted', userId, ip: given.ip })
    // Who reads the file on the server has not shown that they read the address.
    if (link.sealed === null && (await users.setEmailVerified(userId)))
      await needs.audit.record({ event: 'email.verified', userId, ip: given.ip })
  }
  let id = account?.id
  if (account)
    await db.transaction(
      async () => {
        await promote(account.id)
        await takeOver(needs, account, { hash, scheme, ip: given.ip })
      },
      { userId: account.id },
    )
  else {
    const own = { passwordHash: hash, passwordScheme: scheme, name: null, locale: given.locale ?? null }
    const made = await users.create({ ...names, ...own }, async (user) => {
      await needs.audit.record({ event: 'user.created', userId: user.id, ip: given.ip })
      await promote(user.id)
    })
    id = made.id
  }
  await tidyFirstAdmin(needs)
  const user = await users.find(id!)
  if (!user) throw new KeywardError('invalid_or_expired')
  return user
}

/** Drops everything that was set for an account, and stores the new password. */
async function takeOver(
  { users, sessions, apiKeys, identities, factors, proofs, mails }: InvitationsNeeds,
  { id, sessionEpoch }: User,
  { hash, scheme, ip }: { hash: string; scheme: string; ip: string },
): Promise<void> {
  if (!(await users.holdForSession({ id, epoch: sessionEpoch }))) throw new KeywardError('invalid_or_expired')
  await users.setPassword({ id, hash, scheme })
  await sessions.endAll({ userId: id, reason: 'invitation_accepted' })
  await sessions.forgetKnown({ userId: id })
  await apiKeys.revokeOf(id)
  await identities.removeOf(id)
  await factors.removeOf(id, { ip })
  await proofs.voidAll(id)
  await users.freeAddresses(id)
  await mails.notify('password_changed', id, { ip })
}

/** @throws KeywardError `validation_failed` */
function readName(account: User | undefined, typed: string | null | undefined) {
  if (account) {
    if (typeof typed === 'string') throw invalidField('username', 'Your account has a username already')
    return { username: account.username, usernameKey: nameKeysOf(account).usernameKey }
  }
  if (typeof typed !== 'string') throw invalidField('username', MISSING)
  // An administrator may have one of the reserved words, as with `keyward users create`.
  const chosen = normalizeUsername(trimTyped(typed))
  if (!chosen) throw invalidField('username', invalidUsername)
  return chosen
}
