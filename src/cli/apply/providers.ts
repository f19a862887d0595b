import { toNewProvider, toProviderChange, toProviderView } from '../../features/administration/providers.schemas.ts'
import { type Provider, type ProviderKind, providerKinds } from '../../features/social/social.ts'
import type { Service } from '../../service.ts'
import { CommandError } from '../context.ts'
import { checkMembers, type Entry, type Environment, type Section, type Step, withPlace } from './section.ts'

const members = {
  name: 'text',
  kind: 'text',
  label: 'text',
  issuer: 'text',
  tenant: 'text',
  client_id: 'text',
  client_secret_env: 'text',
  hosted_domain: 'text',
  team_id: 'text',
  key_id: 'text',
  auth_method: 'text',
  scopes: 'texts',
  trust_email: 'flag',
  link: 'text',
  sign_up: 'flag',
  enabled: 'flag',
} as const

/** These say whose identities a provider tells, so they never change. */
const fixed = ['kind', 'issuer', 'tenant'] as const

/**
 * The providers of a file. An entry names a provider by its `name`, which is its `kind` without one. The secret is not in
 * the file: `client_secret_env` names the variable that has it.
 */
export const providerSection: Section = {
  name: 'providers',
  async plan(service, entries, env) {
    const stored = await service.social.listProviders()
    const seen = new Set<string>()
    const steps: Step[] = []
    for (const entry of entries) {
      checkMembers(entry, members)
      const { name = entry.members.kind } = entry.members as { name?: string }
      if (typeof name !== 'string') throw new CommandError(`${entry.place} has neither a name nor a kind`)
      if (seen.has(name)) throw new CommandError(`${entry.place} names the same provider as an entry before it`)
      seen.add(name)
      const provider = stored.find((one) => one.name === name)
      const given = { ...entry, members: { ...entry.members, name, client_secret: secretOf(entry, env) } }
      steps.push(await withPlace(entry, () => (provider ? stepOf(service, provider, given) : newOf(service, given))))
    }
    return steps
  },
}

function secretOf({ place, members: { client_secret_env: name } }: Entry, env: Environment): string | undefined {
  if (name === undefined) return undefined
  const secret = env[name as string]
  if (secret === undefined) throw new CommandError(`${place}.client_secret_env names a variable that is not set`)
  return secret
}

async function newOf({ social }: Service, { place, members: given }: Entry): Promise<Step> {
  if (!providerKinds.includes(given.kind as ProviderKind))
    throw new CommandError(`${place}.kind must be one of ${providerKinds.join(', ')}`)
  if (given.client_id === undefined) throw new CommandError(`${place}: a new provider needs a client_id`)
  const wanted = toNewProvider(given as Parameters<typeof toNewProvider>[0])
  await social.compareProvider({ add: wanted })
  return {
    action: 'create',
    kind: 'provider',
    name: wanted.name,
    changes: [],
    run: async () => {
      const { name } = await social.addProvider(wanted)
      return { callback_url: social.callbackOf(name) }
    },
  }
}

async function stepOf({ social }: Service, provider: Provider, { place, members: given }: Entry): Promise<Step> {
  const { name } = provider
  const view = (of: Provider): Record<string, unknown> => toProviderView(of, social.callbackOf(name))
  const before = view(provider)
  const other = fixed.find((member) => given[member] !== undefined && given[member] !== before[member])
  if (other) throw new CommandError(`${place}.${other} never changes: remove the provider and add it again`)
  const change = toProviderChange(given as Parameters<typeof toProviderChange>[0])
  const { after: wanted, isNewSecret } = await social.compareProvider({ name, change })
  const after = view({ ...provider, ...wanted })
  const changes = Object.keys(before)
    .filter((member) => !Bun.deepEquals(before[member], after[member]))
    .map((member) => ({ member, before: before[member], after: after[member] }))
  if (isNewSecret) changes.push({ member: 'client_secret', before: 'another', after: 'as in the variable' })
  return {
    action: changes.length > 0 ? 'change' : 'keep',
    kind: 'provider',
    name,
    changes,
    run: async () => {
      if (changes.length > 0) await social.updateProvider(name, change)
      return {}
    },
  }
}
