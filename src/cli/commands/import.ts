import { defineCommand } from 'citty'
import type { Config } from '../../config/schema.ts'
import {
  ForeignDatabaseError,
  type Import,
  ImportRefused,
  idLabel,
  type Plan,
  planFirstImport,
  readSource,
  type Source,
} from '../../features/import/import.ts'
import { parseDatabaseUrl } from '../../lib/database-url.ts'
import { openImport } from '../../service.ts'
import { openDatabase } from '../../storage/database.ts'
import { embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import { type CommandContext, CommandError, UsageError } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'

type Settings = Parameters<typeof openImport>[0] & Pick<Config, 'PUBLIC_URL'>

export const importCommand = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'import',
      description: 'Import the accounts of a FastAPI user service, with their ids and passwords',
    },
    args: {
      ...settingsArgs,
      from: {
        type: 'string',
        required: true,
        description: 'The DATABASE_URL of the old service; its database is only read',
        valueHint: 'DATABASE_URL',
      },
      'skip-invalid': {
        type: 'boolean',
        description: 'Leave out accounts that cannot be imported, instead of importing none',
      },
      'dry-run': { type: 'boolean', description: 'Print what would happen and write nothing' },
    },
    async run({ args }) {
      const settings = readSettings(context, args)
      const skipInvalid = args['skip-invalid'] === true
      const source = await readAll(args.from)
      try {
        if (args['dry-run'] === true) {
          const plan = (await isEmpty(context, settings))
            ? await planFirstImport(context.clock, source.rows)
            : await withImport(context, settings, (service) => service.plan(source.rows))
          if (plan.problems.length > 0 && !skipInvalid) throw new ImportRefused(plan)
          report(context, settings, { source, plan, heading: 'Would import' })
          context.print('Nothing was written.\n')
        } else {
          const plan = await withImport(context, settings, (service) => service.perform(source.rows, { skipInvalid }))
          report(context, settings, { source, plan, heading: 'Imported' })
          if (plan.accounts.length > 0) context.print(loginHint(settings))
        }
      } catch (error) {
        if (!(error instanceof ImportRefused)) throw error
        printProblems(context, error.plan)
        throw new CommandError(error.message)
      }
    },
  })

async function readAll(from: string): Promise<Source> {
  const target = parseDatabaseUrl(from)
  if (target === undefined || (target.dialect === 'sqlite' && target.path === ':memory:'))
    throw new UsageError(
      '--from takes the DATABASE_URL of the old service, such as sqlite:///./users.db or postgresql+psycopg://user:password@localhost/dbname',
    )
  try {
    return await readSource(target)
  } catch (error) {
    throw error instanceof ForeignDatabaseError ? new CommandError(error.message) : error
  }
}

async function withImport(
  { clock }: CommandContext,
  settings: Settings,
  work: (service: Import) => Promise<Plan>,
): Promise<Plan> {
  const service = await openImport(settings, { clock })
  try {
    return await work(service)
  } finally {
    await service.close()
  }
}

/** Whether the database is missing or without tables. Creates nothing. */
async function isEmpty({ clock }: CommandContext, settings: Settings): Promise<boolean> {
  const { store, driver } = await openDatabase(settings, { clock, schema: 'ignore', waitInside: true })
  try {
    const states = await migrationStates(driver, embeddedMigrations(store.dialect))
    return states.every(({ appliedAt }) => appliedAt === undefined)
  } finally {
    await store.close()
  }
}

function report(
  context: CommandContext,
  settings: Settings,
  { source, plan, heading }: { source: Source; plan: Plan; heading: string },
): void {
  printProblems(context, plan)
  const { accounts, present, problems } = plan
  const lines = [`${heading} ${counted(accounts.length)} into ${settings.DATABASE_URL.shown}`]
  const inactive = accounts.filter((account) => !account.isActive).length
  if (inactive > 0) lines.push(`  ${number(inactive)} of them inactive, as in the old service`)
  if (present > 0) lines.push(`  ${number(present)} were imported before and stay as they are`)
  if (problems.length > 0) lines.push(`  ${number(problems.length)} not imported, for the reasons above`)
  if (source.leftBehind.length > 0) lines.push(`  Columns not imported: ${source.leftBehind.map(printable).join(', ')}`)
  context.print(`${lines.join('\n')}\n`)
}

function printProblems({ printError }: CommandContext, { problems }: Plan): void {
  for (const { sourceId, reasons } of problems) printError(`${idLabel(sourceId)}: ${reasons.join('; ')}\n`)
}

const loginHint = ({ PUBLIC_URL }: Settings): string =>
  `Users log in with their old password and their username or email address:
  curl --data-urlencode username=NAME --data-urlencode password=PASSWORD ${PUBLIC_URL}/token
`

const counted = (count: number): string => `${number(count)} ${count === 1 ? 'account' : 'accounts'}`

const number = (count: number): string => count.toLocaleString('en')

const printable = (name: string): string => name.replace(/[^\x20-\x7e]/g, '?')
