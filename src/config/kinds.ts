// Named imports keep the unused nine tenths of TypeBox out of the bundle, so a start does not evaluate the unused code.
import { Enum, Integer, Array as List, Refine, String as Text, type TSchema, Unsafe } from 'typebox'
import { Check } from 'typebox/schema'
import { type DatabaseTarget, databaseUrlProblem, maskDatabaseUrl, parseDatabaseUrl } from '../lib/database-url.ts'
import { maskSmtpUrl, parseSmtpUrl, type SmtpServer } from '../lib/smtp-url.ts'
import { baseUrl } from './formats.ts'
import { isKnownSecret } from './known-secrets.ts'
import { shown } from './problems.ts'

/** The description of a setting in `configSchema`. `V` is the type of the value of the setting. */
export interface About<V> {
  /** A sentence about the effect of the setting. The guide and `.env.example` print this sentence. */
  description: string
  default?: V
  /** Computes the default from the values of settings that come earlier in the schema. */
  defaultFrom?: (above: Readonly<Record<string, unknown>>) => V
  /** The text that documentation shows for a default that is not a fixed value. */
  defaultShown?: string
  /** The name of the setting whose value is used while this setting is not set. */
  whenUnset?: string
  /**
   * Explanations of values that do not explain themselves, such as `auto`, by value. `keyward config` prints the
   * explanation.
   */
  means?: Readonly<Record<string, string>>
  /** The default and the minimum that differ with `--dev`. */
  dev?: { default?: V; minimum?: number }
}

/** The facts about a setting that loading and printing need, besides the TypeBox schema of the value. */
export interface KeyFacts extends About<unknown> {
  /** The text after "takes" in error messages and in the guide. */
  takes: string
  secret?: true
  /** True when the value may also be in a file, whose path is in the setting `<KEY>_FILE`. */
  fileForm?: true
  /** True when an empty text is a value. For all other settings an empty text counts as unset. */
  emptyIsValue?: true
  /** Parses the text of a value. Text that cannot be parsed is returned as it is, and the schema then refuses it. */
  read: (text: string) => unknown
  /** Returns the text after "got" in an error message, which describes the refused value without revealing a secret. */
  got: (text: string) => string
  /**
   * Writes the value as text, for `keyward config`, `.env.example` and the guide. A password in the URL of a database or
   * a mail server is masked. A secret is not: the caller masks it.
   */
  print: (value: unknown) => string
}

/**
 * Makes a setting for a whole number from `minimum` to `maximum`, written in decimal digits without a sign or leading
 * zeros.
 */
export const whole = (minimum: number, maximum: number, about: About<number>) => {
  const withDev = about.dev?.minimum === undefined ? '' : ` (from ${about.dev.minimum} with --dev)`
  return key(Integer({ minimum, maximum }), about, {
    takes: `a whole number from ${minimum} to ${maximum}${withDev}`,
    read: (text) => (/^(?:0|[1-9]\d{0,14})$/.test(text.trim()) ? Number(text) : text),
  })
}

/** Makes a setting for one of `words`. Upper and lower case differ. */
export const choice = <const V extends string[]>(words: readonly [...V], about: About<V[number]>) =>
  key(Enum<V>([...words]), about, { takes: enumerate(words, 'or') })

/** Makes a setting for words out of a fixed set, separated by commas. An empty value is the empty list. */
export const choices = <const V extends string[]>(words: readonly [...V], about: About<V[number][]>) =>
  list(Enum<V>([...words]), about, {
    takes: `a comma-separated list out of ${enumerate(words, 'and')}; empty for none`,
    emptyIsValue: true,
  })

/**
 * Makes a setting for a list, separated by commas, of values that `parse` accepts. Each parsed value also has its text,
 * for printing.
 */
export const parsedList = <T extends { text: string }>(
  parse: (text: string) => T | undefined,
  takes: string,
  about: About<T[]>,
) => {
  const facts = { takes: `a comma-separated list of ${takes}`, print: textsOf }
  return list(Unsafe<T>({ type: 'object' }), about, facts, (text) => parse(text) ?? text)
}

const textsOf = (values: unknown): string => (values as { text: string }[]).map(({ text }) => text).join(',')

/** Makes a setting for a list, separated by commas, of texts that pass `check`. */
export const texts = (check: (text: string) => boolean, takes: string, about: About<string[]>) =>
  list(Refine(Text(), check), about, { takes: `a comma-separated list of ${takes}` })

/** Makes a setting for a text that passes `check`. */
export const text = (check: (text: string) => boolean, takes: string, about: About<string>) =>
  key(Refine(Text(), check), about, { takes })

/** Makes a setting for an http or https address. The value has one spelling, without a slash at the end. */
export const webAddress = (about: About<string>) =>
  key(
    Refine(Text(), (value) => baseUrl(value) === value),
    about,
    {
      takes:
        'an http or https address such as https://auth.example.com, a path allowed, without query, fragment or credentials',
      read: (value) => baseUrl(value.trim()) ?? value,
    },
  )

/** Makes a setting for the address of a database. A password in the address is never shown. */
export const databaseUrl = (about: About<DatabaseTarget>) =>
  key(Unsafe<DatabaseTarget>({ type: 'object' }), about, {
    takes:
      'sqlite:///./relative.db, sqlite:////absolute.db or postgresql://user:password@host/database (reserved characters percent-encoded)',
    read: (value) => parseDatabaseUrl(value.trim()) ?? value,
    got(value) {
      const problem = databaseUrlProblem(value.trim())
      return `${JSON.stringify(maskDatabaseUrl(value.trim()))}${problem === undefined ? '' : ` ${problem}`}`
    },
    print: (value) => (value as DatabaseTarget).shown,
    fileForm: true,
  })

/** Makes a setting for the address of a mail server. A password in the address is never shown. */
export const smtpUrl = (about: About<SmtpServer>) =>
  key(Unsafe<SmtpServer>({ type: 'object' }), about, {
    takes:
      'smtps://user:password@host (TLS) or smtp://user:password@host (STARTTLS), reserved characters percent-encoded; ?tls=none for a relay without TLS, ?ca=/file for a private authority',
    read: (value) => parseSmtpUrl(value.trim()) ?? value,
    got: (value) => JSON.stringify(maskSmtpUrl(value.trim())),
    print: (value) => (value as SmtpServer).shown,
    fileForm: true,
  })

/**
 * Makes a setting for a secret that a client sends as a Bearer token, so only the characters of a Bearer token are
 * accepted (RFC 6750 section 2.1).
 * @param length the fewest characters
 */
export const headerSecret = (length: number, about: About<string>) =>
  secret(length, (value) => /^[A-Za-z0-9\-._~+/]+=*$/.test(value), 'letters, digits or any of -._~+/', about)

/**
 * Makes a setting for a secret that is a key, or from which keys are derived. Published and easily guessed secrets are
 * refused.
 * @param length the fewest characters
 */
export const keySecret = (length: number, about: About<string>) =>
  secret(length, (value) => !isKnownSecret(value) && isTidy(value), 'random characters', about)

// Spaces around a secret, and control characters such as line ends in a secret, are refused. They often come from a
// file or a shell by mistake, and two replicas would then have different secrets.
const isTidy = (value: string): boolean => value.trim() === value && !/\p{Cc}/u.test(value)

const secret = (length: number, check: (value: string) => boolean, what: string, about: About<string>) =>
  key(Refine(Text({ minLength: length }), check), about, {
    takes: `at least ${length} ${what}`,
    secret: true,
    fileForm: true,
    read: (value) => value,
    got(value) {
      const size = `${[...value].length} characters`
      if (isKnownSecret(value)) return `${size}, a known example or easy to guess`
      return isTidy(value) ? size : `${size}, with a space or control character in a bad place`
    },
  })

function list<S extends TSchema>(
  item: S,
  about: About<unknown[]>,
  facts: Facts,
  read = (text: string): unknown => text,
) {
  const split = (value: string) => [...new Set(value.split(',').map((part) => part.trim()))].filter(Boolean)
  return key(List(item), about, {
    read: (value) => split(value).map(read),
    got: (value) =>
      split(value)
        .filter((part) => !Check(item, read(part)))
        .map(shown)
        .join(', '),
    print: (value) => (value as readonly string[]).join(','),
    ...facts,
  })
}

type Facts = Partial<KeyFacts> & Pick<KeyFacts, 'takes'>

/**
 * Adds the facts to `schema` itself and returns `schema`, because a copy would lose the hidden properties of TypeBox.
 */
const key = <S extends TSchema>(schema: S, about: About<unknown>, facts: Facts): S & KeyFacts =>
  Object.assign(schema, { read: (value: string) => value.trim(), got: shown, print: String, ...about, ...facts })

const enumerate = (words: readonly string[], last: 'and' | 'or'): string =>
  `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
