import { clientsOf } from '../../config/parts.ts'
import type { DraftConfig } from '../../config/schema.ts'
import { inspectClients } from '../../features/clients/clients.ts'
import type { Store } from '../../storage/store.ts'
import { type Finding, ok, problemOf, warning } from './finding.ts'

/** Says whether the registered clients fit the settings. Changes nothing. */
export async function checkClients(store: Store, config: DraftConfig): Promise<Finding[]> {
  try {
    const settings = clientsOf(config)
    const { total, forbidden } = await inspectClients({ store, settings })
    if (total > 0 && settings.unavailable !== undefined)
      return [
        warning('clients', {
          message: `There are clients (${total}), and none works. ${settings.unavailable}.`,
          fix: 'Change the setting, or delete them with keyward clients delete.',
        }),
      ]
    if (forbidden.length === 0)
      return [ok('clients', total === 0 ? 'There are no clients.' : 'All clients fit the settings.')]
    return forbidden.map(({ client, resources }) =>
      warning('clients', {
        subject: client.id,
        message: `The client ${client.name} cannot use ${resources.join(' ')} any more: that is now Keyward itself, or the audience of its own tokens.`,
        fix: 'Change PUBLIC_URL or JWT_AUDIENCE, or the resources with keyward clients update.',
      }),
    )
  } catch (error) {
    return [problemOf('clients', error, 'Look at the database.')]
  }
}
