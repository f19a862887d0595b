import {
  ForeignDatabaseError,
  formatNames,
  isSourceFile,
  openSource,
  openSourceFile,
  type Source,
} from '../features/import/import.ts'
import type { DatabaseTarget } from '../lib/database-url.ts'
import { choice, flag, option, requiredOption } from './arguments.ts'
import { type CommandContext, CommandError, UsageError } from './context.ts'
import { parseAddress, readAddress } from './database-address.ts'

/** The options of `keyward import` that say what is imported. */
export const sourceArgs = {
  from: requiredOption(
    'SOURCE',
    'The DATABASE_URL of the old service without a password, the name of a variable that has it with one, "-" to type it, or a file .jsonl or .csv; it is only read',
  ),
  format: choice('NAME', formatNames, 'The old service, if its tables do not tell'),
  table: option('NAME', 'The table with the accounts, if it has another name than usual'),
  source: option('NAME', 'The name under which ids that are no numbers are kept; by default that of the format'),
  'trust-verified': flag('Take over which addresses are verified in the old service'),
  'trust-roles': flag('Grant the roles that a file names; they must exist'),
  'without-factors': flag('Import accounts without their second factors'),
}

interface SourceArgs {
  from: string
  format?: string | undefined
  table?: string | undefined
  source?: string | undefined
  'trust-verified'?: boolean | undefined
  'trust-roles'?: boolean | undefined
  'without-factors'?: boolean | undefined
}

/**
 * Opens what `sourceArgs` name.
 * @throws UsageError for options that name nothing that Keyward can read; CommandError when it cannot be read
 */
export async function openSourceOf(context: CommandContext, args: SourceArgs): Promise<Source> {
  const { format, table, source: service } = args
  if (service !== undefined && !/^[\w.-]{1,64}$/.test(service))
    throw new UsageError('--source takes 1 to 64 letters, digits, dots, hyphens and underscores')
  const trustRoles = args['trust-roles'] === true
  const withoutFactors = args['without-factors'] === true
  const options = { trustVerified: args['trust-verified'] === true, trustRoles, withoutFactors, service }
  const named = await namedSource(context, args)
  if (typeof named === 'string') {
    if (format !== undefined || table !== undefined)
      throw new UsageError('--format and --table are for databases; the end of its name tells the format of a file')
    return readable(() => openSourceFile(named, options))
  }
  if (trustRoles) throw new UsageError('--trust-roles is for files: the roles of another service mean nothing here')
  return readable(() => openSource(named, { ...options, clock: context.clock, format, table }))
}

/** Runs work that reads the source. @throws CommandError when the source cannot be read */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof ForeignDatabaseError ? new CommandError(error.message) : error
  }
}

/** Returns the path of a file, or the address of a database. */
async function namedSource(context: CommandContext, { from }: SourceArgs): Promise<string | DatabaseTarget> {
  if (isSourceFile(from) && !/^[a-z0-9+]+:/i.test(from)) return from
  const target =
    from === '-'
      ? parseAddress('Standard input', await context.readSecret('DATABASE_URL of the old service: ', { once: true }))
      : readAddress('--from', from, context.env)
  if (target === undefined || (target.dialect === 'sqlite' && target.path === ':memory:'))
    throw new UsageError(
      '--from needs the DATABASE_URL of the old service, such as sqlite:///./users.db or postgresql+psycopg://user@localhost/dbname, the name of a variable that has it, or a file that ends with .jsonl or .csv',
    )
  return target
}
