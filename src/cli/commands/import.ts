import { defineCommand } from 'citty'
import type { DraftConfig } from '../../config/schema.ts'
import {
  type Import,
  ImportRefused,
  type Plan,
  planFirstImport,
  rowLabel,
  type Source,
} from '../../features/import/import.ts'
import { printable } from '../../lib/printable.ts'
import { openDatabase } from '../../storage/database.ts'
import { embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import { flag } from '../arguments.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { exitsOfPrompt } from '../exit-codes.ts'
import { openSourceOf, readable, sourceArgs } from '../import-source.ts'
import { openImport } from '../move-users.ts'
import { readSettings, settingsArgs } from '../settings.ts'

const importArgs = {
  ...sourceArgs,
  ...settingsArgs,
  'skip-invalid': flag('Leave out accounts that cannot be imported, instead of importing none'),
  'dry-run': flag('Print what would happen and write nothing'),
}

export const importCommand = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'import',
      description: 'Import the accounts of another user service or of a file, with their ids and passwords',
      examples: [
        'import --from sqlite:////srv/user-service/users.db --dry-run',
        'import --from OLD_DATABASE_URL',
        'import --from users.jsonl --skip-invalid',
      ],
      exits: exitsOfPrompt,
    },
    args: importArgs,
    async run({ args }) {
      const settings = readSettings(context, args)
      const skipInvalid = args['skip-invalid'] === true
      const source = await openSourceOf(context, args)
      try {
        if (args['dry-run'] === true) {
          const plan = await readable(() => rehearse(context, settings, source))
          if (plan.problems.length > 0 && !skipInvalid) throw new ImportRefused(plan)
          report(context, settings, { source, plan, heading: 'Would import' })
          context.print('Nothing was written.\n')
        } else {
          const plan = await readable(() =>
            withImport(context, settings, (service) => service.perform(source, { skipInvalid })),
          )
          report(context, settings, { source, plan, heading: 'Imported' })
          if (plan.accounts.length > 0) context.print(loginHint(settings))
        }
      } catch (error) {
        if (!(error instanceof ImportRefused)) throw error
        printProblems(context, error.plan)
        throw new CommandError(error.message)
      } finally {
        await source.close()
      }
    },
  })

async function withImport(
  { clock }: CommandContext,
  settings: DraftConfig,
  work: (service: Import) => Promise<Plan>,
): Promise<Plan> {
  const service = await openImport(settings, { clock })
  try {
    return await work(service)
  } finally {
    await service.close()
  }
}

/**
 * Plans the import and writes nothing. A database that does not exist yet, or has no tables yet, counts as a database
 * without accounts.
 */
async function rehearse(context: CommandContext, settings: DraftConfig, source: Source): Promise<Plan> {
  if (await isEmpty(context.clock, settings)) return planFirstImport(context.clock, source)
  return withImport(context, settings, (service) => service.plan(source))
}

async function isEmpty(clock: CommandContext['clock'], settings: DraftConfig): Promise<boolean> {
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
  settings: DraftConfig,
  { source, plan, heading }: { source: Source; plan: Plan; heading: string },
): void {
  printProblems(context, plan)
  const { accounts, privileged, present, problems } = plan
  const lines = [`${heading} ${counted(accounts.length)} into ${settings.DATABASE_URL.shown}`]
  const inactive = accounts.filter((account) => !account.isActive).length
  if (inactive > 0) lines.push(`  ${number(inactive)} of them inactive, as in the old service`)
  if (privileged > 0)
    lines.push(
      `  ${number(privileged)} of them with more rights in the old service, which count for nothing here; the guide's chapter "Administration" says how to grant roles`,
    )
  if (present > 0) lines.push(`  ${number(present)} already in Keyward, not changed`)
  if (problems.length > 0) lines.push(`  ${number(problems.length)} left out for the reasons above`)
  const ignored = source.ignoredColumns()
  if (ignored.length > 0) lines.push(`  Columns not imported: ${ignored.map(printable).join(', ')}`)
  context.print(`${lines.join('\n')}\n`)
}

function printProblems({ printError }: CommandContext, { problems }: Plan): void {
  for (const problem of problems) {
    const { username, reasons } = problem
    const name = username === undefined ? '' : `, "${printable(username.slice(0, 64))}"`
    printError(`${rowLabel(problem)}${name}: ${reasons.join('; ')}\n`)
  }
}

const loginHint = ({ PUBLIC_URL }: DraftConfig): string =>
  `All users log in with their old username or email address and their old password:
  curl --data-urlencode username=NAME --data-urlencode password=PASSWORD ${PUBLIC_URL.replace(/\/$/, '')}/token
`

const counted = (count: number): string => `${number(count)} ${count === 1 ? 'account' : 'accounts'}`

const number = (count: number): string => count.toLocaleString('en')
