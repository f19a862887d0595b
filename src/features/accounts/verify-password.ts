import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import * as store from '../users/store.ts'
import type { UserCredentials } from '../users/user.ts'
import { loginIdentifier } from '../users/username.ts'

/** What a typed name stands for. */
export interface NamedAccount {
  user: UserCredentials | undefined
  /** The name in the one spelling that all its spellings share. */
  name: string
}

/** The account that a username or address names, with what its password is checked against. */
export async function findAccount(deps: Pick<Deps, 'store'>, identifier: string): Promise<NamedAccount> {
  const by = loginIdentifier(identifier)
  if (!by) return { user: undefined, name: identifier }
  return {
    user: await store.findCredentials(deps.store, by),
    name: 'emailKey' in by ? by.emailKey : by.usernameKey,
  }
}

/**
 * Whether this is the password of an active account. An unknown account, a wrong password and an inactive account take
 * the same work. A hash of another cost than is set is replaced on the way.
 * @throws KeywardError `overloaded`
 */
export async function verifyPassword(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords'>,
  user: UserCredentials | undefined,
  password: string,
  client: string,
): Promise<boolean> {
  const stored = user && { hash: user.passwordHash, scheme: user.passwordScheme }
  const { ok, rehash } = await deps.passwords.verify(password, stored, client)
  if (!user || !ok || !user.isActive) return false
  if (rehash) await hashAgain(deps, user, password, client)
  return true
}

/** Brings a hash to the set cost; a password changed meanwhile is left alone, and a busy hasher tries at the next log-in. */
async function hashAgain(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords'>,
  { id, passwordHash }: UserCredentials,
  password: string,
  client: string,
): Promise<void> {
  try {
    const { hash, scheme } = await deps.passwords.hash(password, client)
    await store.replaceHash(deps.store, { id, verifiedHash: passwordHash!, hash, scheme, now: deps.clock.now() })
  } catch (error) {
    if (!(error instanceof KeywardError)) throw error
  }
}
