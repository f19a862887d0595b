import type { Store } from '../../storage/store.ts'
import { type OwnAudience, resourceProblem } from './addresses.ts'
import type { Client } from './client.ts'
import * as store from './store.ts'

/** Resources of a client that could be registered once, and that the settings forbid now. */
export interface ForbiddenResources {
  client: Pick<Client, 'id' | 'name'>
  resources: readonly string[]
}

/** The client without the resources that cannot be registered with these settings. */
export const withoutForbidden = (client: Client, own: OwnAudience): Client => ({
  ...client,
  resources: client.resources.filter((resource) => resourceProblem(resource, own) === undefined),
})

/** How many clients are read at a time. */
const PAGE = 200

/** Finds the clients whose resources are in part forbidden, and counts all clients. Writes nothing. */
export async function inspectClients({
  store: db,
  settings,
}: {
  store: Store
  settings: OwnAudience
}): Promise<{ total: number; forbidden: ForbiddenResources[] }> {
  const forbidden: ForbiddenResources[] = []
  let total = 0
  for (let after = ''; ; ) {
    const page = await store.list(db, { after, limit: PAGE })
    total += page.length
    for (const client of page) {
      const resources = client.resources.filter((resource) => resourceProblem(resource, settings) !== undefined)
      if (resources.length > 0) forbidden.push({ client: { id: client.id, name: client.name }, resources })
    }
    if (page.length < PAGE) return { total, forbidden }
    after = page.at(-1)!.id
  }
}
