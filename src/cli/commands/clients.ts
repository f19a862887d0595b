import { defineCommand } from 'citty'
import { toClientView, toSecretView } from '../../features/administration/clients.schemas.ts'
import { type Client, compareRedirects } from '../../features/clients/clients.ts'
import { printable } from '../../lib/printable.ts'
import type { Service } from '../../service.ts'
import { choice, flag, jsonFlag, jsonLinesFlag, option, positional, requireChoice } from '../arguments.ts'
import { clientColumns, printClient } from '../clients/print.ts'
import { secret } from '../clients/secret.ts'
import { settingArgs, settingsOf } from '../clients/settings.ts'
import { type CommandContext, CommandError, ExitCode, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { beginList, printJson } from '../table.ts'

const PAGE = 500

export const clients = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'clients', description: 'Manage the applications that sign users in through Keyward' },
    subCommands: {
      create: create(context),
      list: list(context),
      show: show(context),
      update: update(context),
      check: check(context),
      secret: secret(context),
      delete: deleteClient(context),
    },
  })

const idArg = { id: positional('ID', 'The client id; see keyward clients list') }

const createArgs = {
  name: positional('NAME', 'The name that users see'),
  public: flag('An app on a device or in a browser, which has no secret'),
  trusted: flag('Do not ask users for consent: an application of your own'),
  'no-pkce': flag('The client does not know PKCE; only with a secret'),
  'claims-in-id-token': flag('Put the claims into ID tokens too, for a client without /userinfo'),
  ...settingArgs,
  json: jsonFlag,
}

const create = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'create',
      description: 'Register a client; its secret is printed once and not stored',
      examples: [
        'clients create Shop --redirect https://shop.example/callback',
        'clients create Phone --public --redirect com.example.phone:/callback',
      ],
      args: createArgs,
    },
    async ({ administration, config }, args, all) => {
      const { name, json } = args
      const { client, secret } = await administration.createClient(undefined, {
        ...settingsOf(args, all),
        name,
        isPublic: args.public === true,
        isTrusted: args.trusted === true,
        // citty takes the word `no-` away.
        requiresPkce: all('no-pkce') === undefined,
        hasClaimsInIdToken: args['claims-in-id-token'] === true,
      })
      if (json) return printJson(context, { ...toClientView(client), secret: secret?.text ?? null })
      printClient(context, client, { secrets: [], issuer: config.PUBLIC_URL })
      if (!secret) return
      context.printError('The secret of the client. It is shown only once:\n')
      context.print(`${secret.text}\n`)
    },
  )

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List clients',
      examples: ['clients list', 'clients list --json'],
      args: { json: jsonLinesFlag },
    },
    async ({ clients }, { json }) => {
      const printed = beginList(context, { json, columns: clientColumns, view: toClientView })
      for (let after = ''; ; ) {
        const page = await clients.list({ after, limit: PAGE })
        printed.add(page)
        if (page.length < PAGE) return
        after = page.at(-1)!.id
      }
    },
  )

const show = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'show',
      description: 'Show a client, and its secrets without their texts',
      examples: ['clients show kwa_aebagbafaydqqcikbmga'],
      args: { ...idArg, json: jsonFlag },
    },
    async (service, { id, json }) => printWhole(context, service, await service.administration.findClient(id), json),
  )

/** Prints a client with its secrets. */
async function printWhole(
  context: CommandContext,
  { administration, config }: Service,
  client: Client,
  json: boolean | undefined,
): Promise<void> {
  const secrets = await administration.secretsOfClient(client.id)
  if (json) printJson(context, { ...toClientView(client), secrets: secrets.map(toSecretView) })
  else printClient(context, client, { secrets, issuer: config.PUBLIC_URL })
}

const yesNo = ['yes', 'no'] as const

const updateArgs = {
  ...idArg,
  name: option('TEXT', 'The name that users see'),
  trusted: choice('YES|NO', yesNo, 'Users are not asked for consent'),
  pkce: choice('YES|NO', yesNo, 'The client must use PKCE'),
  'claims-in-id-token': choice('YES|NO', yesNo, 'ID tokens have the claims too'),
  enabled: choice('YES|NO', yesNo, 'no ends all sessions of the client'),
  ...settingArgs,
  json: jsonFlag,
}

const update = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'update',
      description: 'Change a client; an option replaces the whole setting',
      examples: [
        'clients update kwa_aebagbafaydqqcikbmga --trusted yes',
        'clients update kwa_aebagbafaydqqcikbmga --backchannel ""',
      ],
      args: updateArgs,
    },
    async (service, args, all) => {
      const asked = (name: 'trusted' | 'pkce' | 'claims-in-id-token' | 'enabled') => {
        const word = args[name]
        if (word !== undefined) requireChoice(`--${name}`, word, yesNo)
        return word === undefined ? undefined : word === 'yes'
      }
      const change = {
        ...settingsOf(args, all),
        name: args.name,
        isTrusted: asked('trusted'),
        requiresPkce: asked('pkce'),
        hasClaimsInIdToken: asked('claims-in-id-token'),
        isEnabled: asked('enabled'),
      }
      if (Object.values(change).every((value) => value === undefined))
        throw new UsageError('Say what to change: see the options')
      const client = await service.administration.updateClient(undefined, args.id, change)
      await printWhole(context, service, client, args.json)
    },
  )

const check = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'check',
      description: 'Say whether a client may use a redirect URI, and where it differs',
      examples: ['clients check kwa_aebagbafaydqqcikbmga https://shop.example/cb'],
      args: { ...idArg, url: positional('URL', 'The redirect URI as the client sends it'), json: jsonFlag },
    },
    async ({ administration }, { id, url, json }) => {
      const { redirectUris } = await administration.findClient(id)
      const compared = compareRedirects(redirectUris, url)
      const isAllowed = compared.some((one) => one.isAllowed)
      if (json)
        printJson(context, {
          allowed: isAllowed,
          asked: url,
          registered: compared.map((one) => ({
            uri: one.registered,
            allowed: one.isAllowed,
            differs_at: one.isAllowed ? null : one.differsAt + 1,
          })),
        })
      else if (isAllowed) context.print('The client may use this address\n', 'green')
      else for (const one of compared) showDifference(context, one.registered, url, one.differsAt)
      if (isAllowed) return
      if (!json && compared.length === 0) context.print('The client has no redirect URI\n')
      throw new ExitCode(1)
    },
  )

/** Shows a registered address above the one that was asked for, and marks the first character that differs. */
function showDifference({ print }: CommandContext, registered: string, asked: string, at: number): void {
  const shown = printable(asked)
  const column = Bun.stringWidth(printable(asked.slice(0, at)))
  const name = (text: string) => (at < text.length ? printable(JSON.stringify(text[at])) : 'the end')
  print(`registered: ${registered}\nasked:      ${shown}\n`)
  print(`            ${' '.repeat(column)}^ character ${at + 1}: `)
  print(`${name(registered)} is registered, ${name(asked)} was asked\n`)
}

const deleteClient = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'delete',
      description: 'Delete a client with its secrets and consents, and end its sessions',
      examples: ['clients delete kwa_aebagbafaydqqcikbmga --yes'],
      args: { ...idArg, yes: flag('Do not ask'), json: jsonFlag },
    },
    async ({ administration }, { id, yes, json }) => {
      const { name } = await administration.findClient(id)
      if (!yes) await confirmDeletion(context, printable(name))
      await administration.deleteClient(undefined, id)
      if (json) return printJson(context, { id })
      context.print(`Deleted the client ${printable(name)}\n`)
    },
  )

async function confirmDeletion({ confirm }: CommandContext, name: string): Promise<void> {
  const answer = await confirm(`Delete the client ${name}? Its users cannot sign in there any more.`)
  if (answer === undefined) throw new UsageError('There is no terminal to ask at: add --yes')
  if (!answer) throw new CommandError('Nothing was deleted')
}
