import type { Locale } from '../../../lib/locale.ts'
import type { MailKind, mailKinds, ProofKind } from '../kinds.ts'

/** The built-in text of one kind in one language. `{{name}}` stands for a value; see `mailKinds`. */
export interface Message {
  subject: string
  /** Paragraphs before the link, the code and the facts. */
  before: readonly string[]
  /** Paragraphs after the facts: what to do if it was not you. */
  after: readonly string[]
}

/** The text of a kind with a link. */
export interface LinkMessage extends Message {
  /** What the button says. */
  button: string
  /** A sentence that says how long the link works. */
  lifetime: string
}

/** Everything that Keyward writes in one language. */
export interface Catalogue {
  /** Above every mail. `named` is used when the name cannot be read as a web address. */
  greeting: { named: string; plain: string }
  /** Below every mail. `support` is left out without SUPPORT_EMAIL. */
  footer: { why: string; support: string }
  /** The label of each fact. */
  facts: Record<(typeof mailKinds)[MailKind][number], string>
  /** Before a code: `only` where the mail has no link, `also` where it has one. */
  code: { only: string; also: string }
  messages: { [K in MailKind]: K extends ProofKind ? LinkMessage : Message }
  /** How a time is written: the tag for `Intl.DateTimeFormat`. */
  dates: string
}

export type Catalogues = Record<Locale, Catalogue>
