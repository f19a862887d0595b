import { readSecretFile } from '../config/secret-file.ts'
import { type DatabaseTarget, databaseUrlProblem, parseDatabaseUrl } from '../lib/database-url.ts'
import { UsageError } from './context.ts'

/** What a variable is called: capitals, as all settings. No address and no usual file is spelled so. */
const VARIABLE = /^[A-Z][A-Z0-9_]*$/

/**
 * Reads the address of a database out of an option such as `--from`: an address without a password, or the name of a
 * variable that has the address. `NAME_FILE` can name a file with it instead.
 * @param known addresses that are settings, by name: they may also be in the `.env` file
 * @returns undefined for text that is neither
 * @throws UsageError for an address with a password, and for a variable without an address
 */
export function readAddress(
  option: string,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  known: Readonly<Record<string, DatabaseTarget>> = {},
): DatabaseTarget | undefined {
  if (VARIABLE.test(text)) return known[text] ?? parseAddress(text, addressIn(text, env))
  const target = parseAddress(option, text)
  // All users of a machine can read the arguments of its processes.
  if (target?.dialect === 'postgresql' && target.shown.includes(HIDDEN))
    throw new UsageError(
      `${option} takes no password, because other users of this machine can see it. Put the whole address into a variable, such as OTHER_DATABASE_URL, or its path into OTHER_DATABASE_URL_FILE, and use: ${option} OTHER_DATABASE_URL`,
    )
  return target
}

/** What `DatabaseTarget.shown` has instead of a password. */
const HIDDEN = '********'

/**
 * Parses an address that may have a password.
 * @param name where the text comes from, for the message
 * @returns undefined for text that is no address of a database
 * @throws UsageError for an address that Keyward does not take
 */
export function parseAddress(name: string, text: string): DatabaseTarget | undefined {
  const problem = databaseUrlProblem(text.trim())
  if (problem !== undefined) throw new UsageError(`${name} got an address ${problem}`)
  return parseDatabaseUrl(text.trim())
}

function addressIn(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const text = env[name]
  const path = env[`${name}_FILE`]
  if (text) return text
  if (!path) throw new UsageError(`The variable ${name} is not set, and neither is ${name}_FILE`)
  const read = readSecretFile(path)
  if ('message' in read) throw new UsageError(`${name}_FILE: ${path} ${read.message}`)
  return read.text
}
