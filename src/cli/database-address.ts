import { readSecretFile } from '../config/secret-file.ts'
import { type DatabaseTarget, databaseUrlProblem, parseDatabaseUrl } from '../lib/database-url.ts'
import { UsageError } from './context.ts'

interface Named {
  /** The option with an address, such as `--from`. The option with the name of a variable ends with `-env`. */
  option: string
  address: string | undefined
  variable: string | undefined
}

interface Known {
  env: Readonly<Record<string, string | undefined>>
  /** The setting, which the variable `DATABASE_URL` means: it may also be in the `.env` file. */
  DATABASE_URL: DatabaseTarget
}

/**
 * Reads the address of a database that a pair of options names: `--from` takes an address without a password, `--from-env`
 * the name of a variable with an address. The variable with `_FILE` at its end can name a file with the address instead.
 * @throws UsageError unless exactly one of the options names a database that is not in memory
 */
export function readAddress({ option, address, variable }: Named, { env, DATABASE_URL }: Known): DatabaseTarget {
  if ((address === undefined) === (variable === undefined))
    throw new UsageError(`Name a database with either ${option} or ${option}-env`)
  if (variable !== undefined)
    return variable === 'DATABASE_URL' ? DATABASE_URL : parse(`The variable ${variable}`, textOf(variable, env))
  const target = parse(option, address!)
  // All users of a machine can read the arguments of its processes.
  if (target.shown.includes(HIDDEN))
    throw new UsageError(
      `${option} must not have a password, which every user of this machine could see: put the address into a variable and name it with ${option}-env`,
    )
  return target
}

/** What `DatabaseTarget.shown` has instead of a password. */
const HIDDEN = '********'

function parse(what: string, text: string): DatabaseTarget {
  const problem = databaseUrlProblem(text.trim())
  if (problem !== undefined) throw new UsageError(`${what} got an address ${problem}`)
  const target = parseDatabaseUrl(text.trim())
  if (target === undefined || (target.dialect === 'sqlite' && target.path === ':memory:'))
    throw new UsageError(
      `${what} needs the address of a database, such as sqlite:///./keyward.db or postgresql://user@localhost/keyward`,
    )
  return target
}

function textOf(variable: string, env: Known['env']): string {
  const text = env[variable]
  const path = env[`${variable}_FILE`]
  if (text) return text
  if (!path) throw new UsageError(`The variable ${variable} is not set, and neither is ${variable}_FILE`)
  const read = readSecretFile(path)
  if ('message' in read) throw new UsageError(`${variable}_FILE: ${path} ${read.message}`)
  return read.text
}
