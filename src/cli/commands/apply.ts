import { JsonError, parseStrictJson } from '../../lib/json.ts'
import { printable } from '../../lib/printable.ts'
import { readSmallFile } from '../../lib/small-file.ts'
import { clientSection } from '../apply/clients.ts'
import { providerSection } from '../apply/providers.ts'
import type { Entry, Section, Step } from '../apply/section.ts'
import { flag, jsonLinesFlag, positional } from '../arguments.ts'
import { type CommandContext, CommandError, ExitCode } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { printJson } from '../table.ts'

const sections: readonly Section[] = [clientSection, providerSection]

const MAX_BYTES = 1024 * 1024

/** The exit code of `--check` when the file and the database differ. */
const DIFFERENT = 2

export const apply = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'apply',
      description: 'Create and change what a JSON file declares; what it does not name stays',
      examples: ['apply keyward.json --dry-run', 'apply keyward.json --check'],
      args: {
        file: positional(
          'FILE',
          'A JSON file with the members "clients" and "providers"; a second run changes nothing',
        ),
        'dry-run': flag('Only print what would change'),
        check: flag('As --dry-run; exit with 2 if anything would change'),
        json: jsonLinesFlag,
      },
    },
    async (service, { file, 'dry-run': isDry, check, json }) => {
      const steps: Step[] = []
      for (const [section, entries] of readFile(file))
        steps.push(...(await section.plan(service, entries, context.env)))
      const isTrial = isDry || check
      for (const step of steps) report(context, step, isTrial ? {} : await step.run(), { isTrial, json })
      const due = steps.filter(({ action }) => action !== 'keep').length
      if (!json) context.print(summary(steps.length, due, isTrial))
      if (check && due > 0) throw new ExitCode(DIFFERENT)
    },
  )

/** @throws CommandError when the file cannot be read, or has not the form of such a file */
function readFile(path: string): [Section, Entry[]][] {
  const read = readSmallFile(path, MAX_BYTES, { pipe: 'wait' })
  if ('message' in read) throw new CommandError(`${path} ${read.message}`)
  const document = parse(path, read.text)
  if (!isObject(document)) throw new CommandError(`${path} must have an object`)
  const names = sections.map(({ name }) => name)
  const unknown = Object.keys(document).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new CommandError(`${path} has the unknown member ${JSON.stringify(unknown)}; there is ${names.join(', ')}`)
  return sections.map((section) => [section, entriesOf(section.name, document[section.name] ?? [])])
}

function parse(path: string, text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (error) {
    if (error instanceof JsonError) throw new CommandError(`${path} is not valid JSON: ${error.message}`)
    throw error
  }
}

function entriesOf(name: string, list: unknown): Entry[] {
  if (!Array.isArray(list) || !list.every(isObject)) throw new CommandError(`${name} must be a list of objects`)
  return list.map((members, at) => ({ place: `${name}.${at}`, members }))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface Reporting {
  isTrial: boolean | undefined
  json: boolean | undefined
}

function report(
  context: CommandContext,
  { action, kind, name, changes }: Step,
  made: Readonly<Record<string, string>>,
  { isTrial, json }: Reporting,
): void {
  if (json) printJson(context, { action, kind, name, ...made, changes })
  if (json || action === 'keep') return
  const words = { create: ['Created', 'Would create'], change: ['Changed', 'Would change'] }[action]
  context.print(`${words[isTrial ? 1 : 0]} the ${kind} ${printable(name)}\n`)
  for (const [member, value] of Object.entries(made)) context.print(`  ${member}: ${value}\n`)
  for (const { member, before, after } of changes)
    context.print(`  ${member}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}\n`)
}

function summary(all: number, due: number, isTrial: boolean | undefined): string {
  const kept = `${all - due} of ${all} ${isTrial ? 'are' : 'were'} as declared`
  return due === 0 ? `Nothing to do: ${kept}\n` : `${kept}\n`
}
