import { firstAdminOf } from '../../config/parts.ts'
import type { DraftConfig } from '../../config/schema.ts'
import { inspectFirstAdmin } from '../../features/invitations/invitations.ts'
import { hasAdmin } from '../../features/roles/roles.ts'
import { type Clock, HOUR, MINUTE } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import { timeText } from '../table.ts'
import { type Finding, ok, problemOf, warning } from './finding.ts'

/** Says whether there is an administrator, and what ADMIN_EMAIL does. Changes nothing. */
export async function checkFirstAdmin(store: Store, config: DraftConfig, clock: Clock): Promise<Finding> {
  try {
    return await firstAdmin(store, config, clock)
  } catch (error) {
    return problemOf('first_admin', error, 'Look at the database.')
  }
}

async function firstAdmin(store: Store, config: DraftConfig, clock: Clock): Promise<Finding> {
  const { adminEmail, file } = firstAdminOf(config).settings
  if (adminEmail === undefined)
    return ok(
      'first_admin',
      (await hasAdmin({ store }))
        ? 'There is an administrator.'
        : 'There is no administrator; keyward users create --admin makes one.',
    )
  const { hasAdmin: isDone, link } = await inspectFirstAdmin({ store, clock }, adminEmail)
  if (isDone)
    return ok('first_admin', 'There is an administrator, so it does nothing any more; remove it.', 'ADMIN_EMAIL')
  if (!link)
    return warning('first_admin', {
      subject: 'ADMIN_EMAIL',
      message: 'There is no administrator, and no link with which its owner could become one.',
      fix: 'Restart the server, which makes another link.',
    })
  const left = Math.ceil((link.expiresAt - clock.now()) / MINUTE)
  const good = `good until ${timeText(link.expiresAt)}, for ${left < 120 ? `${left} min` : `${Math.floor((left * MINUTE) / HOUR)} h`}`
  const where = link.sealed === null ? 'was mailed' : `is in ${file ?? 'first-admin.txt'}`
  return ok(
    'first_admin',
    `The link to become the first administrator ${where}. It is unused, and ${good}.`,
    'ADMIN_EMAIL',
  )
}
