import type { Deps } from '../../deps.ts'
import { KeywardError } from '../../errors.ts'
import * as store from './store.ts'
import type { User, UserCredentials } from './user.ts'
import { loginIdentifier } from './username.ts'

/** A password typed for a name, and the address prefix of who typed it. */
export interface PasswordAttempt {
  identifier: string
  password: string
  client?: string
}

/**
 * The active account whose password this is. An unknown name, a wrong password and an inactive account are refused
 * alike and after the same work.
 * @throws KeywardError `invalid_credentials`, `overloaded`
 */
export async function verifyPassword(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords'>,
  { identifier, password, client }: PasswordAttempt,
): Promise<User> {
  const by = loginIdentifier(identifier)
  const user = by && (await store.findCredentials(deps.store, by))
  const stored = user && { hash: user.passwordHash, scheme: user.passwordScheme }
  const { ok, rehash } = await deps.passwords.verify(password, stored, client)
  if (!user || !ok || !user.isActive) throw new KeywardError('invalid_credentials')
  if (rehash) await hashAgain(deps, user, password, client)
  return user
}

/** Brings a hash to the set cost; a password changed meanwhile is left alone, and a busy hasher tries at the next log-in. */
async function hashAgain(
  deps: Pick<Deps, 'store' | 'clock' | 'passwords'>,
  user: UserCredentials,
  password: string,
  client: string | undefined,
): Promise<void> {
  try {
    const { hash, scheme } = await deps.passwords.hash(password, client)
    await store.replaceHash(deps.store, {
      id: user.id,
      verifiedHash: user.passwordHash!,
      hash,
      scheme,
      now: deps.clock.now(),
    })
  } catch (error) {
    if (!(error instanceof KeywardError)) throw error
  }
}
