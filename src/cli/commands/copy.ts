import { defineCommand } from 'citty'
import { MINUTE } from '../../lib/clock.ts'
import type { DatabaseTarget } from '../../lib/database-url.ts'
import { type CopyReport, copyDatabase } from '../../storage/copy.ts'
import { NotEmptyError, SideError } from '../../storage/copy-error.ts'
import { flag, jsonFlag, requiredOption } from '../arguments.ts'
import { type CommandContext, CommandError, ExitCode, UsageError } from '../context.ts'
import { readAddress } from '../database-address.ts'
import { exitsOfCopy } from '../exit-codes.ts'
import { explain } from '../explain.ts'
import { interruptible } from '../interruptible.ts'
import { startProgress } from '../progress.ts'
import { readSettings, settingsArgs } from '../settings.ts'

/** The exit code when the new database has rows already. */
const NOT_EMPTY = 4

const copyArgs = {
  ...settingsArgs,
  from: requiredOption('ADDRESS', 'The database to copy: its address, or the name of a variable that has it'),
  to: requiredOption('ADDRESS', 'The new database, which must be empty: its address, or the name of a variable'),
  'keep-locked': flag('Keep the old database locked after the copy, until Ctrl-C or SIGTERM'),
  json: jsonFlag,
}

export const copy = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'copy',
      description:
        'Copy everything to an empty database, of SQLite or PostgreSQL, and compare both; nobody is logged out',
      examples: [
        'copy --from DATABASE_URL --to NEW_DATABASE_URL',
        'copy --from sqlite:///./keyward.db --to postgresql:///keyward',
      ],
      exits: exitsOfCopy,
    },
    args: copyArgs,
    async run({ args }) {
      const settings = readSettings(context, args)
      const { DATABASE_URL } = settings
      const read = (option: string, text: string) =>
        requireFile(option, readAddress(option, text, context.env, { DATABASE_URL }))
      const [from, to] = [read('--from', args.from), read('--to', args.to)]
      const { clock, printError } = context
      let progress: ReturnType<typeof startProgress> | undefined
      const work = (pause: () => Promise<void>) =>
        copyDatabase({
          from,
          to,
          settings,
          clock,
          onLocked(rows) {
            printError(
              `${from.shown} is locked until the copy ends: servers on it answer reads, and writes with 503.\n`,
            )
            progress = startProgress(context, { verb: 'Copied and compared', units: 'rows', total: 2 * rows })
          },
          onProgress({ copied, compared }) {
            progress?.report(copied + compared)
            return pause()
          },
          async onDone(report) {
            progress?.end()
            print(context, { from, to, report, json: args.json === true })
            if (args['keep-locked'] !== true) return
            // The report would otherwise come after the line that says what to do now.
            await context.delivered()
            printError(`${from.shown} stays locked. Stop its servers, then press Ctrl-C here.\n`)
            // So that the terminal's echo of Ctrl-C goes with this line, and does not stand before the next one.
            context.showStatus('Locked, until Ctrl-C')
            await untilStopped(context)
          },
        })
      try {
        await interruptible(context, work, () => `Nothing was copied to ${to.shown}. ${unlocked(from)}`)
        if (args['keep-locked'] === true)
          printError(
            `${unlocked(from)} ${to.shown} has everything: start the servers with it, and none on the old one.\n`,
          )
      } catch (error) {
        throw refusalOf(context, error)
      } finally {
        progress?.end()
      }
    },
  })

const unlocked = ({ shown }: DatabaseTarget) => `${shown} is unlocked, and has not changed since the copy began.`

function requireFile(option: string, target: DatabaseTarget | undefined): DatabaseTarget {
  if (target === undefined || (target.dialect === 'sqlite' && target.path === ':memory:'))
    throw new UsageError(
      `${option} needs the address of a database, such as sqlite:///./keyward.db or postgresql://user@localhost/keyward, or the name of a variable that has it`,
    )
  return target
}

async function untilStopped({ clock, stopSignal }: CommandContext): Promise<void> {
  let isStopped = false
  const stopped = stopSignal().then(() => {
    isStopped = true
  })
  // A handler of a signal does not keep a process alive. A timer does.
  while (!isStopped) await Promise.race([stopped, clock.sleep(MINUTE)])
}

function refusalOf({ printError }: CommandContext, error: unknown): unknown {
  if (error instanceof NotEmptyError) {
    printError(`${error.message}\n`)
    return new ExitCode(NOT_EMPTY)
  }
  // The explanation of an error of a database names the setting DATABASE_URL. A `cause` would be explained again.
  if (error instanceof SideError)
    return new CommandError(explain(error.cause).replaceAll('DATABASE_URL', `--${error.side}`))
  return error
}

function print(
  context: CommandContext,
  { from, to, report, json }: { from: DatabaseTarget; to: DatabaseTarget; report: CopyReport; json: boolean },
): void {
  const { tables, rows } = report
  if (json) {
    context.print(`${JSON.stringify({ from: from.shown, to: to.shown, rows, tables })}\n`)
    return
  }
  const width = Math.max(...tables.map(({ name }) => name.length))
  for (const table of tables)
    context.print(`${table.name.padEnd(width)} ${table.rows.toLocaleString('en').padStart(12)}\n`)
  context.print(
    `Copied ${rows.toLocaleString('en')} rows from ${from.shown} to ${to.shown}, and compared them: they are the same.\n`,
  )
  context.print(NEXT)
}

const NEXT = `Now stop the servers of the old database: what they write from now on is not in the copy. Then start them with
the new DATABASE_URL and the same SECRET_KEY. All sessions, keys and ids go on.
`
