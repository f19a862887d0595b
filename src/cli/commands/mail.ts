import { defineCommand } from 'citty'
import { type ListedMail, MailFailure, type MailState } from '../../features/mail/mail.ts'
import { invalidEmail, normalizeEmail } from '../../features/users/users.ts'
import { rfc3339 } from '../../lib/clock.ts'
import { isLocale, locales } from '../../lib/locale.ts'
import { option, positional, wholeNumber } from '../arguments.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'

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
      args: {
        address: positional('ADDRESS', 'Who gets it'),
        language: option('LANGUAGE', `Its language: ${locales.join(', ')}`),
      },
    },
    async ({ mails, config }, { address, language = 'en' }) => {
      const recipient = normalizeEmail(address)?.email
      if (recipient === undefined) throw new UsageError(invalidEmail)
      if (!isLocale(language)) throw new UsageError(`--language takes one of ${locales.join(', ')}`)
      if (!config.SMTP_URL) throw new CommandError('Mail is off: set SMTP_URL and MAIL_FROM')
      try {
        await mails.sendTest(recipient, language)
      } catch (error) {
        if (error instanceof MailFailure)
          throw new CommandError(`${config.SMTP_URL.shown} did not take the mail: ${error.message}`)
        throw error
      }
      context.print(`${config.SMTP_URL.shown} took the mail. Look whether it arrives at ${recipient}\n`)
    },
  )

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List mails, newest first; sent and dead ones for 14 days',
      args: {
        state: option('STATE', `Only mails of this state: ${states.join(', ')}`),
        limit: option('N', 'How many; 50 without this option'),
      },
    },
    async ({ mails }, { state: typed, limit }) => {
      const state = states.find((one) => one === typed)
      if (typed !== undefined && state === undefined) throw new UsageError(`--state takes one of ${states.join(', ')}`)
      const found = await mails.list({
        ...(state && { state }),
        limit: limit === undefined ? 50 : wholeNumber('--limit', limit, 10_000),
      })
      for (const one of found) context.print(`${summary(one)}\n`)
    },
  )

const show = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'show', description: 'Show one mail, without its text', args: { id: positional('ID', 'As listed') } },
    async ({ mails }, { id }) => {
      const found = await mails.find(id)
      if (!found) throw new CommandError(`There is no mail ${id}`)
      const { kind, userId, recipient, locale, state, attempts, createdAt, dueAt, endedAt, error } = found
      const facts = {
        Mail: found.id,
        Kind: kind,
        To: recipient,
        User: userId ?? 'none',
        Language: locale,
        State: state,
        Attempts: attempts,
        Queued: rfc3339(createdAt),
        ...(state === 'queued' ? { 'Next attempt': rfc3339(dueAt) } : { Ended: rfc3339(endedAt ?? createdAt) }),
        ...(error !== null && { 'Last failure': error }),
      }
      const lines = Object.entries(facts).map(([name, value]) => `${`${name}:`.padEnd(14)} ${value}`)
      context.print(`${lines.join('\n')}\n`)
    },
  )

const resend = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'resend',
      description: 'Queue a dead mail again; a running server sends it within 5 seconds',
      args: { id: positional('ID', 'As listed') },
    },
    async ({ mails }, { id }) => {
      const outcome = await mails.resend(id)
      if (outcome === 'expired')
        throw new CommandError(`The link of mail ${id} can no longer be used; its reader must ask for a new mail`)
      if (outcome === 'unknown')
        throw new CommandError(`There is no dead mail ${id}; see keyward mail list --state dead`)
      context.print(`Queued mail ${id} again\n`)
    },
  )

const summary = ({ id, state, kind, recipient, attempts, createdAt, error }: ListedMail): string =>
  `${id}  ${rfc3339(createdAt)}  ${state.padEnd(6)}  ${kind.padEnd(16)}  ${attempts} ${attempts === 1 ? 'attempt ' : 'attempts'}  ${recipient}${error === null ? '' : `  ${error}`}`
