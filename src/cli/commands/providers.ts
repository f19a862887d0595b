import { defineCommand, type ParsedArgs } from 'citty'
import { toProviderTest, toProviderView } from '../../features/administration/providers.schemas.ts'
import {
  authMethods,
  linkModes,
  type Provider,
  type ProviderChange,
  type ProviderKind,
  providerKinds,
} from '../../features/social/social.ts'
import {
  choice,
  flag,
  jsonFlag,
  jsonLinesFlag,
  option,
  positional,
  positionalChoice,
  requireChoice,
  requiredOption,
} from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { type Column, printFacts, printJson, printList } from '../table.ts'

export const providers = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'providers', description: 'Manage the services with which people sign in' },
    subCommands: {
      list: list(context),
      show: show(context),
      add: add(context),
      update: update(context),
      test: test(context),
      remove: remove(context),
    },
  })

const nameArg = { name: positional('NAME', 'The name of the provider; see keyward providers list') }
const yesNo = ['yes', 'no'] as const

const settingArgs = {
  label: option('TEXT', 'What the button says'),
  'secret-env': option('NAME', 'Read the client secret from this environment variable, without a prompt'),
  'hosted-domain': option('DOMAIN', 'Google only: let in only accounts of this Workspace domain'),
  'team-id': option('ID', 'Apple only'),
  'key-id': option('ID', 'Apple only'),
  'auth-method': choice('METHOD', authMethods, 'Kind oidc only: how Keyward sends its secret'),
  scopes: option('WORDS', 'The scopes to ask for, separated by commas, instead of those of the kind'),
  'trust-email': choice('YES|NO', yesNo, "The provider's word that an address is verified counts"),
  link: choice('MODE', linkModes, 'What happens when an account has the address'),
  'sign-up': choice('YES|NO', yesNo, 'People without an account get one'),
  enabled: choice('YES|NO', yesNo, 'The button is shown, and identities of the provider sign in'),
  json: jsonFlag,
}

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List the providers, by name',
      examples: ['providers list', 'providers list --json'],
      args: { json: jsonLinesFlag },
    },
    async ({ social }, { json }) =>
      printList(context, await social.listProviders(), {
        json,
        columns,
        view: (provider) => toProviderView(provider, social.callbackOf(provider.name)),
      }),
  )

const columns: Column<Provider>[] = [
  { head: 'NAME', text: ({ name }) => name },
  { head: 'KIND', text: ({ kind }) => kind },
  { head: 'LABEL', text: ({ label }) => label },
  {
    head: 'STATE',
    text: ({ isEnabled }) => (isEnabled ? 'on' : 'off'),
    colour: ({ isEnabled }) => (isEnabled ? 'green' : 'dim'),
  },
  { head: 'LINK', text: ({ link }) => link },
  { head: 'ISSUER', text: ({ issuer }) => issuer },
]

const show = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'show',
      description: 'Show a provider, without its secret',
      examples: ['providers show github'],
      args: { ...nameArg, json: jsonFlag },
    },
    async ({ social }, { name, json }) => {
      const provider = await social.findProvider(name)
      print(context, provider, { callback: social.callbackOf(name), json })
    },
  )

const addArgs = {
  kind: positionalChoice('KIND', providerKinds, 'The kind of the provider'),
  name: option('NAME', 'Its name, a part of the redirect URI; the kind without this option'),
  'client-id': requiredOption('ID', 'The id of Keyward at the provider'),
  issuer: option('URL', 'Needed for oidc; also for GitLab and GitHub on a host of your own'),
  tenant: option('TENANT', 'Microsoft only: the id of a tenant, common, organizations or consumers'),
  public: flag('Kind oidc only: Keyward has no client secret there'),
  ...settingArgs,
}

const add = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'add',
      description: 'Add a provider; the client secret is read from a prompt or from standard input',
      examples: [
        'providers add github --client-id Iv1.0123456789abcdef',
        'providers add oidc --issuer https://acme.example --client-id 7',
      ],
      args: addArgs,
    },
    async ({ social }, args) => {
      requireChoice('KIND', args.kind, providerKinds)
      const kind = args.kind as ProviderKind
      const { name = kind, issuer, tenant, json } = args
      const clientSecret = args.public ? undefined : await readClientSecret(context, args['secret-env'])
      const provider = await social.addProvider({
        ...changeOf(args),
        name,
        kind,
        issuer,
        tenant,
        clientId: args['client-id'],
        clientSecret,
      })
      const callback = social.callbackOf(name)
      if (!json) context.print(`Added the provider ${name}. Its redirect URI, for its console:\n${callback}\n`)
      print(context, provider, { callback, json })
    },
  )

const update = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'update',
      description: 'Change a provider, at once in every running server',
      examples: ['providers update github --link automatic', 'providers update github --secret-env SECRET'],
      args: {
        ...nameArg,
        'client-id': option('ID', 'The id of Keyward at the provider'),
        secret: flag('Read another client secret from a prompt or from standard input'),
        ...settingArgs,
      },
    },
    async ({ social }, args) => {
      const { name, secret, json } = args
      const isNewSecret = secret || args['secret-env'] !== undefined
      const clientSecret = isNewSecret ? await readClientSecret(context, args['secret-env']) : undefined
      const change = { ...changeOf(args), clientId: args['client-id'], clientSecret }
      if (Object.values(change).every((value) => value === undefined))
        throw new UsageError('Say what to change, such as --enabled no')
      const provider = await social.updateProvider(name, change)
      if (!json) context.print(`Changed the provider ${name}\n`)
      print(context, provider, { callback: social.callbackOf(name), json })
    },
  )

const test = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'test',
      description: 'Say whether a provider can be reached and takes the credentials',
      examples: ['providers test github', 'providers test github --json'],
      args: { ...nameArg, json: jsonFlag },
    },
    async ({ social }, { name, json }) => {
      const found = toProviderTest(await social.checkProvider(name))
      if (json) printJson(context, found)
      else
        for (const { check, result, detail } of found.checks) context.print(`${result.padEnd(8)}${check}: ${detail}\n`)
      if (!found.ok) throw new CommandError(`The provider ${name} does not work`)
    },
  )

const remove = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'remove',
      description: 'Delete a provider; the links of its users stay, for a new provider of the same issuer',
      examples: ['providers remove github', 'providers remove github --yes'],
      args: { ...nameArg, yes: flag('Do not ask'), json: jsonFlag },
    },
    async ({ social }, { name, yes, json }) => {
      await social.findProvider(name)
      if (!yes) await confirmRemoval(context, name)
      await social.removeProvider(name)
      if (json) return printJson(context, { name })
      context.print(`Deleted the provider ${name}\n`)
    },
  )

async function confirmRemoval({ confirm }: CommandContext, name: string): Promise<void> {
  const answer = await confirm(`Delete the provider ${name}? Nobody can sign in with it then.`)
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('Nothing was deleted')
}

/** Reads a client secret: from the named environment variable, from a prompt, or from standard input. */
async function readClientSecret({ env, readSecret }: CommandContext, name: string | undefined): Promise<string> {
  if (name === undefined) return readSecret('Client secret: ', { once: true })
  const secret = env[name]
  if (secret === undefined) throw new UsageError('--secret-env names a variable that is not set')
  return secret
}

const changeOf = (args: Partial<ParsedArgs<typeof settingArgs>>): ProviderChange => ({
  label: args.label,
  hostedDomain: args['hosted-domain'],
  teamId: args['team-id'],
  keyId: args['key-id'],
  authMethod: args['auth-method'],
  scopes: args.scopes === undefined ? undefined : args.scopes.split(',').flatMap((word) => word.trim() || []),
  trustsEmail: truthOf(args['trust-email']),
  link: args.link,
  signsUp: truthOf(args['sign-up']),
  isEnabled: truthOf(args.enabled),
})

const truthOf = (word: string | undefined): boolean | undefined => (word === undefined ? undefined : word === 'yes')

function print(
  context: CommandContext,
  provider: Provider,
  { callback, json }: { callback: string; json: boolean | undefined },
): void {
  if (json) {
    printJson(context, toProviderView(provider, callback))
    return
  }
  const { settings } = provider
  printFacts(context, [
    ['Provider', provider.name],
    ['Kind', provider.kind],
    ['Label', provider.label],
    ['Issuer', provider.issuer],
    ['Client id', provider.clientId],
    ['Client secret', provider.hasSecret ? 'stored' : 'none'],
    ['Redirect URI', callback],
    ['Hosted domain', settings.hostedDomain],
    ['Team id', settings.teamId],
    ['Key id', settings.keyId],
    ['Method', settings.authMethod],
    ['Scopes', settings.scopes?.join(',')],
    ['Trusts addresses', provider.trustsEmail ? 'yes' : 'no'],
    ['Link', provider.link],
    ['Signs up', provider.signsUp ? 'yes' : 'no'],
    ['Enabled', provider.isEnabled ? 'yes' : 'no'],
  ])
}
