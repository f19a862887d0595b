import { toClientChange, toClientView } from '../../features/administration/clients.schemas.ts'
import type { Client, ClientChange } from '../../features/clients/clients.ts'
import type { Service } from '../../service.ts'
import { CommandError } from '../context.ts'
import { checkMembers, type Entry, type Section, type Step, withPlace } from './section.ts'

const members = {
  id: 'text',
  name: 'text',
  public: 'flag',
  redirect_uris: 'texts',
  post_logout_redirect_uris: 'texts',
  grant_types: 'texts',
  scopes: 'texts',
  resources: 'texts',
  client_credentials_scopes: 'texts',
  trusted: 'flag',
  require_pkce: 'flag',
  id_token_alg: 'text',
  claims_in_id_token: 'flag',
  backchannel_logout_uri: 'nullable',
  required_role: 'nullable',
  required_acr: 'nullable',
  home_uri: 'nullable',
  enabled: 'flag',
  allow_http: 'flag',
} as const

/** The clients of a file. An entry names a client by its `id`, or without one by its `name`. */
export const clientSection: Section = {
  name: 'clients',
  async plan(service, entries) {
    const stored = await allClients(service)
    const seen = new Set<string>()
    const steps: Step[] = []
    for (const entry of entries) {
      checkMembers(entry, members)
      const { id, name } = entry.members as { id?: string; name?: string }
      if (name === undefined && id === undefined) throw new CommandError(`${entry.place} has neither a name nor an id`)
      const client = findOf(stored, entry)
      const key = client?.id ?? id ?? name!
      if (seen.has(key)) throw new CommandError(`${entry.place} names the same client as an entry before it`)
      seen.add(key)
      steps.push(await withPlace(entry, () => (client ? stepOf(service, client, entry) : newOf(service, entry))))
    }
    return steps
  },
}

async function allClients({ clients }: Service): Promise<Client[]> {
  const all: Client[] = []
  for (;;) {
    const page = await clients.list({ after: all.at(-1)?.id ?? '', limit: 500 })
    if (page.length === 0) return all
    all.push(...page)
  }
}

function findOf(stored: readonly Client[], { place, members: { id, name } }: Entry): Client | undefined {
  if (id !== undefined) return stored.find((client) => client.id === id)
  const named = stored.filter((client) => client.name === name)
  if (named.length > 1) throw new CommandError(`${place}: ${named.length} clients have this name; add the member id`)
  return named[0]
}

async function newOf({ administration, clients }: Service, { place, members: given }: Entry): Promise<Step> {
  const { id, name, public: isPublic } = given as { id?: string; name?: string; public?: boolean }
  if (name === undefined) throw new CommandError(`${place}: a new client needs a name`)
  const client = { ...changeOf(given), id, name, isPublic }
  await clients.check(client)
  return {
    action: 'create',
    kind: 'client',
    name,
    changes: [],
    run: async () => {
      const made = await administration.createClient(undefined, client)
      return { id: made.client.id, ...(made.secret && { secret: made.secret.text }) }
    },
  }
}

async function stepOf(
  { administration, clients }: Service,
  client: Client,
  { place, members: given }: Entry,
): Promise<Step> {
  if (given.public !== undefined && given.public !== client.isPublic)
    throw new CommandError(`${place}.public never changes: delete the client and register it again`)
  const change = changeOf(given)
  const difference = await clients.compare(client, change)
  const before: View = toClientView(client)
  const after: View = toClientView({ ...client, ...difference?.after })
  const changed = Object.keys(before).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  return {
    action: difference ? 'change' : 'keep',
    kind: 'client',
    name: client.name,
    changes: changed.map((member) => ({ member, before: before[member], after: after[member] })),
    run: async () => {
      if (difference) await administration.updateClient(undefined, client.id, change)
      return {}
    },
  }
}

type View = Record<string, unknown>

/** The members are of the right types: `checkMembers` has checked them. */
const changeOf = (given: Entry['members']): ClientChange =>
  toClientChange(given as Parameters<typeof toClientChange>[0])
