import { KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import { violatedUnique } from '../../storage/conflicts.ts'
import * as store from './invited.store.ts'
import { isReserved } from './reserved-names.ts'
import type { Username } from './username.ts'
import type { UsersNeeds } from './users.ts'

/** What an invited user has chosen. */
export interface Acceptance {
  id: number
  username: Username
  hash: string
  scheme: string
  /** The language of the user, if the user has none yet. */
  locale: Locale | null
}

/** Implements `Users.acceptInvitation`. The former username is not reserved: nobody has ever used it. */
export async function acceptInvitation(needs: UsersNeeds, acceptance: Acceptance): Promise<boolean> {
  const { store: db, clock } = needs
  try {
    if (!(await store.accept(db, { ...acceptance, now: clock.now() }))) return false
  } catch (error) {
    if (violatedUnique(error) === 'users.username_key') throw new KeywardError('username_taken')
    throw error
  }
  // The update waits while another transaction gives up this username and reserves it, so the check comes after it.
  if (await isReserved(needs, acceptance.username.usernameKey)) throw new KeywardError('username_taken')
  return true
}
