import type { Deps } from '../../service.ts'
import * as store from '../users/store.ts'

/**
 * The stored hash that a user's own password was verified against, for a change that holds only while it is still that
 * one; undefined for a wrong password, and for an account without one.
 * @throws KeywardError `overloaded`
 */
export async function verifyOwnPassword(
  deps: Pick<Deps, 'store' | 'passwords'>,
  { userId, password, client }: { userId: number; password: string; client: string },
): Promise<string | undefined> {
  const stored = await store.findPassword(deps.store, userId)
  const { ok } = await deps.passwords.verify(password, stored, client)
  return ok ? (stored?.hash ?? undefined) : undefined
}

/** Puts a new hash in the place of the one that was verified; false when that one is gone. */
export const replacePassword = (
  deps: Pick<Deps, 'store' | 'clock'>,
  change: { id: number; verifiedHash: string; hash: string; scheme: string },
): Promise<boolean> => store.replaceHash(deps.store, { ...change, now: deps.clock.now() })
