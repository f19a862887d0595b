import type { EpochMs } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import { htmlOf } from './html.ts'
import { type MailKind, mailKinds, type proofValues } from './kinds.ts'
import type { Mail } from './mail.ts'
import { catalogues } from './messages/catalogues.ts'
import type { LinkMessage, Message } from './messages/message.ts'
import { fill, type Values } from './placeholders.ts'
import type { Templates } from './templates.ts'

/** The values of the operator that the texts of every mail can name. */
export interface Brand {
  /** The name of the service: APP_NAME. */
  app: string
  /** The address for questions: SUPPORT_EMAIL. */
  support: string | undefined
}

/**
 * The values of a mail with a link or code. Keyward stores them only sealed, because they give access to the account.
 */
export type ProofValues = Partial<Record<(typeof proofValues)[number], string>>

/** The parts of a built-in mail, with their values filled in. The plain text and the HTML both show all parts. */
export interface Letter {
  locale: Locale
  colon: string
  subject: string
  greeting: string
  before: readonly string[]
  /** A link as a button, with a sentence about it. */
  action: { button: string; link: string; lifetime: string } | undefined
  code: { intro: string; code: string } | undefined
  facts: readonly { label: string; value: string }[]
  after: readonly string[]
  footer: readonly string[]
}

/**
 * Makes the subject, the plain text and the HTML of a mail, from a file of TEMPLATES_DIR or from the built-in text.
 * @param proof the values of a mail with a link or a code
 */
export function render(
  templates: Templates,
  brand: Brand,
  { kind, locale, details }: Pick<Mail, 'kind' | 'locale' | 'details'>,
  proof: ProofValues = {},
): { subject: string; text: string; html: string } {
  const values: Values = { ...(JSON.parse(details) as Values), ...brand, ...proof }
  const own = templates.find(kind, locale)
  if (own) return own(values)
  const letter = letterOf({ kind, locale, values })
  return { subject: letter.subject, text: textOf(letter), html: htmlOf(letter) }
}

function letterOf({ kind, locale, values }: { kind: MailKind; locale: Locale; values: Values }): Letter {
  const { colon, greeting, footer, facts, code, messages } = catalogues[locale]
  const message: Message | LinkMessage = messages[kind]
  const { subject, before, after } = message
  const filled = (text: string) => fill(text, values)
  const isNamed = values.username !== undefined && !looksLikeAddress(values.username)
  return {
    locale,
    colon,
    subject: filled(subject),
    greeting: filled(isNamed ? greeting.named : greeting.plain),
    before: before.map(filled),
    action:
      values.link === undefined || !('button' in message)
        ? undefined
        : { button: filled(message.button), link: values.link, lifetime: filled(message.lifetime) },
    code:
      values.code === undefined
        ? undefined
        : { intro: filled(values.link === undefined ? code.only : code.also), code: values.code },
    facts: mailKinds[kind].flatMap((name) => {
      const value = values[name]
      return value === undefined || value === '' ? [] : [{ label: facts[name], value }]
    }),
    after: after.map(filled),
    footer: [footer.why, ...(values.support === undefined ? [] : [footer.support])].map(filled),
  }
}

/** Returns true for a username that a mail program may show as a link. An attacker could register such a username. */
const looksLikeAddress = (name: string): boolean => /[./:@\\]/.test(name)

function textOf({ colon, greeting, before, action, code, facts, after, footer }: Letter): string {
  // A link stands on a line of its own, so that mail programs find its end.
  const link = action && [`${action.button}${colon}`.trimEnd(), action.link, action.lifetime]
  const list = facts.map(({ label, value }) => `${label}${colon}${value}`).join('\n')
  const body = [greeting, ...before, ...(link ?? []), code?.intro, code?.code, list, ...after]
    .filter(Boolean)
    .join('\n\n')
  // `-- ` begins a signature (RFC 3676 section 4.3).
  return `${body}\n\n-- \n${footer.join('\n')}\n`
}

/** Writes a time for a person, in UTC because Keyward does not know the time zone of the person. */
export const timeText = (at: EpochMs, locale: Locale): string =>
  `${new Intl.DateTimeFormat(catalogues[locale].dates, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(at)} (UTC)`
