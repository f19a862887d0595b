// Named imports keep the unused nine tenths of typebox out of the bundle, so a start does not evaluate them.
import { Enum, Integer, Array as List, Refine, String as Text, type TSchema, Unsafe } from 'typebox'
import { Check } from 'typebox/schema'
import { type DatabaseTarget, databaseUrlProblem, maskDatabaseUrl, parseDatabaseUrl } from '../lib/database-url.ts'
import { maskSmtpUrl, parseSmtpUrl, type SmtpServer } from '../lib/smtp-url.ts'
import { baseUrl } from './formats.ts'
import { isKnownSecret } from './known-secrets.ts'
import { shown } from './problems.ts'

/** What the entry of a setting in `configSchema` says about the setting. `V` is the type of its value. */
export interface About<V> {
  /** What the setting does, as the guide and `.env.example` print it. */
  description: string
  default?: V
  /** Computes the default from the values of settings that are earlier in the schema. */
  defaultFrom?: (above: Readonly<Record<string, unknown>>) => V
  /** How documentation writes a default that is not a fixed value. */
  defaultShown?: string
  /** The setting whose value is used while this setting is not set. */
  whenUnset?: string
  /** An explanation of each value that does not explain itself, by value (such as `auto`), for `keyward config`. */
  means?: Readonly<Record<string, string>>
  /** What is different with `--dev`. */
  dev?: { default?: V; minimum?: number }
}

/** The facts of a setting that loading and printing need, besides its schema. */
export interface KeyFacts extends About<unknown> {
  /** The text after "takes" in messages and in the guide. */
  takes: string
  secret?: true
  /** True when the value may also be in a file, which `<KEY>_FILE` names. */
  fileForm?: true
  /** True when an empty text is a value. For all other settings an empty text counts as unset. */
  emptyIsValue?: true
  /** Parses the text of a value. Text that cannot be parsed is returned unparsed, and the schema refuses it. */
  read: (text: string) => unknown
  /** The text after "got" in an error message. It never contains a secret. */
  got: (text: string) => string
  /** The value as `keyward config` prints it. */
  print: (value: unknown) => string
}

/** A whole number from `minimum` to `maximum`, in decimal digits without a sign or leading zeros. */
export const whole = (minimum: number, maximum: number, about: About<number>) => {
  const withDev = about.dev?.minimum === undefined ? '' : ` (from ${about.dev.minimum} with --dev)`
  return key(Integer({ minimum, maximum }), about, {
    takes: `a whole number from ${minimum} to ${maximum}${withDev}`,
    read: (text) => (/^(?:0|[1-9]\d{0,14})$/.test(text.trim()) ? Number(text) : text),
  })
}

/** One word of a few, compared exactly. */
export const choice = <const V extends string[]>(words: readonly [...V], about: About<V[number]>) =>
  key(Enum<V>([...words]), about, { takes: enumerate(words, 'or') })

/** Words of a fixed set, separated by commas. An empty value is the empty list. */
export const choices = <const V extends string[]>(words: readonly [...V], about: About<V[number][]>) =>
  list(Enum<V>([...words]), about, {
    takes: `a comma-separated list out of ${enumerate(words, 'and')}; empty for none`,
    emptyIsValue: true,
  })

/** Values that `parse` accepts, separated by commas. Each value keeps its text for printing. */
export const parsedList = <T extends { text: string }>(
  parse: (text: string) => T | undefined,
  takes: string,
  about: About<T[]>,
) => {
  const facts = { takes: `a comma-separated list of ${takes}`, print: textsOf }
  return list(Unsafe<T>({ type: 'object' }), about, facts, (text) => parse(text) ?? text)
}

const textsOf = (values: unknown): string => (values as { text: string }[]).map(({ text }) => text).join(',')

/** Texts that pass `check`, separated by commas. */
export const texts = (check: (text: string) => boolean, takes: string, about: About<string[]>) =>
  list(Refine(Text(), check), about, { takes: `a comma-separated list of ${takes}` })

/** A text that passes `check`. */
export const text = (check: (text: string) => boolean, takes: string, about: About<string>) =>
  key(Refine(Text(), check), about, { takes })

/** An http or https address, kept in one spelling without a slash at the end. */
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

/** A database address; a password in it is never shown. */
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

/** The address of a mail server; a password in it is never shown. */
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
 * A secret that a client sends as a Bearer token. It has only the characters of a Bearer token (RFC 6750 section 2.1).
 */
export const headerSecret = (length: number, about: About<string>) =>
  secret(length, (value) => /^[A-Za-z0-9\-._~+/]+=*$/.test(value), 'letters, digits or any of -._~+/', about)

/** A secret that is a key, or from which keys are derived. Published and easily guessed secrets are refused. */
export const keySecret = (length: number, about: About<string>) =>
  secret(length, (value) => !isKnownSecret(value) && isTidy(value), 'random characters', about)

// Spaces around a secret, and control characters such as line ends in it, are refused. They come from files and shells,
// and may differ between two replicas.
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

/** Adds the facts to `schema` and returns it. A copy would lose the hidden properties of typebox. */
const key = <S extends TSchema>(schema: S, about: About<unknown>, facts: Facts): S & KeyFacts =>
  Object.assign(schema, { read: (value: string) => value.trim(), got: shown, print: String, ...about, ...facts })

const enumerate = (words: readonly string[], last: 'and' | 'or'): string =>
  `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
