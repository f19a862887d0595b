import type { Locale } from '../../../lib/locale.ts'
import type { MailKind, mailKinds, ProofKind } from '../kinds.ts'

/**
 * The built-in text of one kind of mail in one language. `{{name}}` stands for a value; `mailKinds` lists the names.
 */
export interface Message {
  subject: string
  /** The paragraphs before the link, the code and the list of facts. */
  before: readonly string[]
  /** The paragraphs after the list of facts. They say what the user can do. */
  after: readonly string[]
}

/** The text of a kind with a link. */
export interface LinkMessage extends Message {
  /** What the button says. */
  button: string
  /** A sentence that says how long the link works. */
  lifetime: string
}

/** The kinds that have a code and no link. */
type CodeKind = 'link_identity' | 'enroll_factor'

/** The texts of the mails about policies for second factors, and about their recovery. */
export type PolicyMessages = Pick<
  Catalogue['messages'],
  'second_factor_due' | 'enroll_factor' | 'recover_factors' | 'factors_recovered' | 'factors_reset'
>

/** The built-in texts of all mails in one language. */
export interface Catalogue {
  /** The first line of every mail. `plain` has no username: a mail program could show some usernames as links. */
  greeting: { named: string; plain: string }
  /** The last lines of every mail. Without SUPPORT_EMAIL, the mail has only `why`. */
  footer: { why: string; support: string }
  /** Between a label and its value in the plain text. */
  colon: string
  /** The label of each fact in the list of facts. */
  facts: Record<(typeof mailKinds)[MailKind][number], string>
  /** Before a code: `only` where the mail has no link, `also` where it has one. */
  code: { only: string; also: string }
  messages: { [K in MailKind]: K extends Exclude<ProofKind, CodeKind> ? LinkMessage : Message }
  /** The language tag with which `Intl.DateTimeFormat` writes the times. */
  dates: string
}

/** The texts of the mails about second factors, which have files of their own. */
export type FactorMessages = Pick<
  Catalogue['messages'],
  | 'factor_added'
  | 'factor_removed'
  | 'recovery_codes_renewed'
  | 'recovery_code_used'
  | 'trusted_device_added'
  | 'factor_copied'
>

export type Catalogues = Record<Locale, Catalogue>
