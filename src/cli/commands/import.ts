import { defineCommand } from 'citty'
import { rpIdOf } from '../../config/parts.ts'
import type { DraftConfig } from '../../config/schema.ts'
import {
  type Import,
  type OnRows,
  type Performed,
  type Plan,
  type Problem,
  planFirstImport,
  rowLabel,
  type Source,
} from '../../features/import/import.ts'
import { printable } from '../../lib/printable.ts'
import { openDatabase } from '../../storage/database.ts'
import { embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import { flag } from '../arguments.ts'
import { type CommandContext, CommandError } from '../context.ts'
import { exitsOfLongWork } from '../exit-codes.ts'
import { openSourceOf, readable, sourceArgs } from '../import-source.ts'
import { interruptible } from '../interruptible.ts'
import { openImport } from '../move-users.ts'
import { startProgress } from '../progress.ts'
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
      exits: exitsOfLongWork,
    },
    args: importArgs,
    async run({ args }) {
      const settings = readSettings(context, args)
      const skipInvalid = args['skip-invalid'] === true
      const source = await openSourceOf(context, args)
      let left = 'Nothing was written.'
      const onImported = (count: number, total: number) => {
        left = `${number(count)} of ${counted(total)} were imported. The same command imports the rest.`
      }
      const perform = (pause: Work['pause']) => {
        const work = { context, settings, source, skipInvalid, pause, onImported }
        return readable(() => (args['dry-run'] === true ? rehearse(work) : importAll(work)))
      }
      try {
        await interruptible(context, perform, () => left)
      } finally {
        await source.close()
      }
    },
  })

interface Work {
  context: CommandContext
  settings: DraftConfig
  source: Source
  skipInvalid: boolean
  /** Waits between two parts of the work; see `interruptible`. */
  pause: () => Promise<void>
  onImported: (count: number, total: number) => void
}

/**
 * Plans the import and writes nothing. A database that does not exist yet, or has no tables yet, counts as a database
 * without accounts.
 */
async function rehearse(work: Work): Promise<void> {
  const { context, settings, source } = work
  const planned = (await isEmpty(context.clock, settings))
    ? await checked(work, (onRows) => planFirstImport({ clock: context.clock, rpId: rpIdOf(settings) }, source, onRows))
    : await withImport(work, (service) => checked(work, (onRows) => service.plan(source, onRows)))
  using plan = planned
  const { accounts: imported, present, roles } = plan
  const factors = plan.apps + plan.passkeys
  report(work, { plan, done: { imported, present, roles, factors }, words: ['Would import', 'would be granted'] })
  context.print('Nothing was written.\n')
}

const importAll = (work: Work): Promise<void> =>
  withImport(work, async (service) => {
    const { context, settings, source, skipInvalid, pause, onImported } = work
    using plan = await checked(work, (onRows) => service.plan(source, onRows))
    const progress = startProgress(context, { verb: 'Imported', units: 'accounts', total: plan.accounts })
    let done: Performed
    try {
      done = await service.perform({ source, plan }, (count) => {
        progress.report(count)
        onImported(count, plan.accounts)
        return pause()
      })
    } finally {
      progress.end()
    }
    const { imported, late, roles, factors } = done
    for (const problem of late) printProblem(context, problem)
    const present = plan.present + done.present
    report(work, { plan, done: { imported, present, roles, factors }, words: ['Imported', 'were granted'] })
    if (late.length > 0 && !skipInvalid)
      throw new CommandError(
        `${counted(late.length)} of the above could not be imported, because new users of Keyward took their names meanwhile.`,
      )
    if (imported > 0) context.print(loginHint(settings))
  })

/**
 * Shows how the plan is made, and prints its problems.
 * @throws CommandError when there are problems, unless they are to be left out
 */
async function checked(
  { context, source, skipInvalid, pause }: Work,
  make: (onRows: OnRows) => Promise<Plan>,
): Promise<Plan & Disposable> {
  const progress = startProgress(context, { verb: 'Checked', units: 'accounts', total: source.total })
  let plan: Plan
  try {
    plan = await make((count) => {
      progress.report(count)
      return pause()
    })
  } finally {
    progress.end()
  }
  for (const problem of plan.problemRows()) printProblem(context, problem)
  const { accounts, present, problems } = plan
  if (problems === 0 || skipInvalid) return { ...plan, [Symbol.dispose]: plan.close }
  plan.close()
  throw new CommandError(
    `Nothing was imported: ${problems} of ${accounts + present + problems} accounts have a problem. Correct them in the old service or the file, or import the rest with --skip-invalid.`,
  )
}

async function withImport<T>({ context, settings }: Work, work: (service: Import) => Promise<T>): Promise<T> {
  const service = await openImport(settings, context)
  try {
    return await work(service)
  } finally {
    await service.close()
  }
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
  { context, settings, source }: Work,
  {
    plan,
    done: { imported, present, roles, factors },
    words: [heading, granted],
  }: { plan: Plan; done: Omit<Performed, 'late'>; words: [string, string] },
): void {
  const { inactive, privileged, problems } = plan
  const lines = [`${heading} ${counted(imported)} into ${settings.DATABASE_URL.shown}`]
  if (inactive > 0) lines.push(`  ${number(inactive)} of them inactive, as in the old service`)
  if (privileged > 0)
    lines.push(
      `  ${number(privileged)} of them with more rights in the old service, which count for nothing here; the guide's chapter "Administration" says how to grant roles`,
    )
  if (roles > 0)
    lines.push(
      `  ${number(roles)} ${roles === 1 ? 'role' : 'roles'} ${granted.replace('were', roles === 1 ? 'was' : 'were')}`,
    )
  if (factors > 0)
    lines.push(
      `  ${counted(factors, 'second factor')}: the users make new recovery codes at ${settings.PUBLIC_URL.replace(/\/$/, '')}/account/security`,
    )
  const missing = plan.apps + plan.passkeys - factors
  if (missing > 0 && imported === plan.accounts)
    lines.push(`  ${counted(missing, 'second factor')} not imported, because Keyward has the passkey already`)
  if (present > 0) lines.push(`  ${number(present)} already in Keyward, not changed`)
  if (problems > 0) lines.push(`  ${number(problems)} left out for the reasons above`)
  const ignored = source.ignoredColumns()
  if (ignored.length > 0) lines.push(`  Columns not imported: ${ignored.map(printable).join(', ')}`)
  if (ignored.includes('roles')) lines.push('  --trust-roles grants the roles')
  context.print(`${lines.join('\n')}\n`)
}

function printProblem({ printError }: CommandContext, problem: Problem): void {
  const { username, reasons } = problem
  const name = username === undefined ? '' : `, "${printable(username.slice(0, 64))}"`
  printError(`${rowLabel(problem)}${name}: ${reasons.join('; ')}\n`)
}

const loginHint = ({ PUBLIC_URL }: DraftConfig): string =>
  `All users log in with their old username or email address and their old password:
  curl --data-urlencode username=NAME --data-urlencode password=PASSWORD ${PUBLIC_URL.replace(/\/$/, '')}/token
`

const counted = (count: number, unit = 'account'): string => `${number(count)} ${unit}${count === 1 ? '' : 's'}`

const number = (count: number): string => count.toLocaleString('en')
