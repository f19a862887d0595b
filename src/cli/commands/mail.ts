import { defineCommand } from 'citty'
import { toMailView } from '../../features/administration/mails.schemas.ts'
import { type ListedMail, MailFailure, type MailState } from '../../features/mail/mail.ts'
import { invalidEmail, normalizeEmail } from '../../features/users/users.ts'
import { locales } from '../../lib/locale.ts'
import { choice, jsonFlag, jsonLinesFlag, option, positional, wholeNumber } from '../arguments.ts'
import { type Colour, type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { type Column, printFacts, printJson, printList, timeText } from '../table.ts'

export const mail = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'mail', description: 'See what became of mails, send one again, and test the mail server' },
    subCommands: { test: test(context), list: list(context), show: show(context), resend: resend(context) },
  })

const states: readonly MailState[] = ['queued', 'sent', 'dead', 'dropped']

const test = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'test',
      description: 'Send a mail at once, and print what the mail server says',
      examples: ['mail test ada@example.com --language de'],
      args: {
        address: positional('ADDRESS', 'Who gets it'),
        language: choice('LANGUAGE', locales, 'Its language'),
        json: jsonFlag,
      },
    },
    async ({ mails, config }, { address, language = 'en', json }) => {
      const recipient = normalizeEmail(address)?.email
      if (recipient === undefined) throw new UsageError(invalidEmail)
      if (!config.SMTP_URL) throw new CommandError('Mail is off: set SMTP_URL and MAIL_FROM')
      const { shown } = config.SMTP_URL
      try {
        await mails.sendTest(recipient, language)
      } catch (error) {
        if (error instanceof MailFailure) throw new CommandError(`${shown} did not take the mail: ${error.message}`)
        throw error
      }
      if (json) return printJson(context, { recipient, server: shown })
      context.print(`${shown} took the mail. Look whether it arrives at ${recipient}\n`)
    },
  )

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List mails, newest first; sent and dead ones for 14 days',
      examples: ['mail list --state dead', 'mail list --limit 500 --json'],
      args: {
        state: choice('STATE', states, 'Only mails of this state'),
        limit: { ...option('N', 'At most this many mails'), default: '50' },
        json: jsonLinesFlag,
      },
    },
    async ({ mails }, { state, limit, json }) => {
      const found = await mails.list({ ...(state && { state }), limit: wholeNumber('--limit', limit, 10_000) })
      printList(context, found, { json, columns, view: toMailView })
    },
  )

const show = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'show',
      description: 'Show one mail, without its text',
      examples: ['mail show 2rF0cXq1Zk2b9sLw'],
      args: { id: positional('ID', 'As listed'), json: jsonFlag },
    },
    async ({ mails }, { id, json }) => {
      const found = await mails.find(id)
      if (!found) throw new CommandError(`There is no mail ${id}`)
      if (json) return printJson(context, toMailView(found))
      const { kind, userId, recipient, locale, state, attempts, createdAt, dueAt, endedAt, error } = found
      printFacts(context, [
        ['Mail', found.id],
        ['Kind', kind],
        ['To', recipient],
        ['User', userId ?? 'none'],
        ['Language', locale],
        ['State', state, colours[state]],
        ['Attempts', attempts],
        ['Queued', timeText(createdAt)],
        state === 'queued' ? ['Next attempt', timeText(dueAt)] : ['Ended', timeText(endedAt ?? createdAt)],
        ['Last failure', error ?? undefined],
      ])
    },
  )

const resend = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'resend',
      description: 'Queue a dead mail again; a running server sends it within 5 seconds',
      examples: ['mail resend 2rF0cXq1Zk2b9sLw'],
      args: { id: positional('ID', 'As listed'), json: jsonFlag },
    },
    async ({ mails }, { id, json }) => {
      const outcome = await mails.resend(id)
      if (outcome === 'expired')
        throw new CommandError(`The link of mail ${id} can no longer be used; its reader must ask for a new mail`)
      if (outcome === 'unknown')
        throw new CommandError(`There is no dead mail ${id}; see keyward mail list --state dead`)
      if (json) return printJson(context, { id, state: 'queued' })
      context.print(`Queued mail ${id} again\n`)
    },
  )

const colours: Record<MailState, Colour> = { queued: 'yellow', sent: 'green', dead: 'red', dropped: 'dim' }

const columns: Column<ListedMail>[] = [
  { head: 'MAIL', text: ({ id }) => id },
  { head: 'QUEUED', text: ({ createdAt }) => timeText(createdAt) },
  { head: 'STATE', text: ({ state }) => state, colour: ({ state }) => colours[state] },
  { head: 'KIND', text: ({ kind }) => kind },
  { head: 'ATTEMPTS', text: ({ attempts }) => attempts, align: 'right' },
  { head: 'TO', text: ({ recipient }) => recipient },
  { head: 'LAST FAILURE', text: ({ error }) => error },
]
