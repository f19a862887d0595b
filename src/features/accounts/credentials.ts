import { KeywardError } from '../../errors.ts'
import type { UserCredentials } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

type CredentialsNeeds = Pick<AccountsNeeds, 'users' | 'passwords'>

/**
 * Checks the password of an active account. An unknown account, a wrong password and an inactive account take the same
 * work. A right password whose hash has another cost or scheme than is set now is hashed again.
 * @param client the network that asks, for its share of the hash gate
 * @throws KeywardError `overloaded`
 */
export async function verifyPassword(
  needs: CredentialsNeeds,
  user: UserCredentials | undefined,
  { password, client }: { password: string; client: string },
): Promise<boolean> {
  const stored = user && { hash: user.passwordHash, scheme: user.passwordScheme }
  const { ok, rehash } = await needs.passwords.verify(password, stored, client)
  if (!user || !ok || !user.isActive) return false
  if (rehash) await hashAgain(needs, user, { password, client })
  return true
}

/** A password that was changed meanwhile stays as it is. When the hash gate is full, the next login tries again. */
async function hashAgain(
  { users, passwords }: CredentialsNeeds,
  { id, passwordHash }: UserCredentials,
  { password, client }: { password: string; client: string },
): Promise<void> {
  try {
    const { hash, scheme } = await passwords.hash(password, client)
    await users.replacePassword({ id, verifiedHash: passwordHash!, hash, scheme })
  } catch (error) {
    if (!(error instanceof KeywardError)) throw error
  }
}
