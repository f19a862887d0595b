import { join } from 'node:path'
import { partPattern, withPart } from '../support/readme.ts'
import type { Rounds } from './bench.ts'
import { machine } from './proc.ts'

/** The result of a section. */
export interface Findings {
  title: string
  /** How it was measured, in a sentence or two. */
  text: string
  /** The first row is the head, the first column names the measured thing. */
  table: string[][]
  gates: Gate[]
  notes?: string[]
  rounds: Omit<Rounds<unknown>, 'kept'> & { kept: { length: number } }
}

/** A goal: mostly a ratio of two figures of one round. */
export interface Gate {
  what: string
  value: number
  atMost?: number
  atLeast?: number
  /** How to write the value; two decimals if absent. */
  unit?: 'percent' | 'ms' | 'count'
  /** The goal is also met if this one is. */
  or?: Gate
}

export const isMet = ({ value, atMost, atLeast, or }: Gate): boolean =>
  (!(atMost !== undefined && !(value <= atMost)) && !(atLeast !== undefined && !(value >= atLeast))) ||
  (or !== undefined && isMet(or))

/** A number to three digits, `93,500`, `10.3`, `0.61`, or a dash. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1
  const rounded = digits > 3 ? Math.round(value / 10 ** (digits - 3)) * 10 ** (digits - 3) : value
  return rounded.toLocaleString('en', {
    minimumFractionDigits: digits >= 3 ? 0 : Math.min(2, 3 - digits),
    maximumFractionDigits: digits >= 3 ? 0 : Math.min(2, 3 - digits),
  })
}

export const percent = (value: number): string => (Number.isFinite(value) ? `${(value * 100).toFixed(1)} %` : '–')

/** Two figures in one cell: the median and the 99th percentile. */
export const pair = (p50: number, p99: number): string => `${figure(p50)} / ${figure(p99)}`

export function toMarkdown(findings: Findings, at: Date): string {
  const { title, text, table, gates, notes = [], rounds } = findings
  const [head = [], ...rows] = table
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const kept = `medians of ${rounds.kept.length} ${rounds.kept.length === 1 ? 'round' : 'rounds'}`
  const dropped = rounds.dropped === 0 ? '' : `, ${rounds.dropped} more dropped`
  const measured = `${at.toISOString().slice(0, 10)}, ${machine()}; ${kept}${dropped}; a load generator took at most ${rounds.generator.toFixed(2)} cores, other programs ${rounds.foreign.toFixed(2)}.`
  return [
    `## ${title}`,
    text,
    [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n'),
    gates.map((gate) => `- ${toLine(gate)}`).join('\n'),
    ...notes,
    measured,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function toLine(gate: Gate): string {
  const goals = [goalOf(gate), ...(gate.or ? [goalOf(gate.or)] : [])].filter((goal) => goal !== '').join(' or ')
  const shown = gate.or ? `${inUnit(gate, gate.value)}, ${inUnit(gate.or, gate.or.value)}` : inUnit(gate, gate.value)
  if (goals === '') return `${gate.what}: ${shown}`
  return `${gate.what}: **${shown}** (goal: ${goals}${isMet(gate) ? '' : '; **missed**'})`
}

function goalOf(gate: Gate): string {
  const goal = (words: string, bound: number) => `${words} ${inUnit(gate, bound).replace(/\.0+(?=\D|$)/, '')}`
  return [
    ...(gate.atMost === undefined ? [] : [goal('at most', gate.atMost)]),
    ...(gate.atLeast === undefined ? [] : [goal('at least', gate.atLeast)]),
  ].join(', ')
}

function inUnit({ unit }: Gate, value: number): string {
  if (unit === 'percent') return percent(value)
  if (unit === 'ms') return `${figure(value)} ms`
  return unit === 'count' ? String(value) : value.toFixed(2)
}

const readmePath = join(import.meta.dir, 'README.md')

/** Writes a section into README beside this file, between `<!-- bench NAME -->` and `<!-- /bench NAME -->`. */
export async function writeToReadme(name: string, text: string): Promise<void> {
  const part = `bench ${name}`
  const readme = await Bun.file(readmePath).text()
  if (!partPattern(part).test(readme)) throw new Error(`test/bench/README.md has no place for "bench ${name}"`)
  await Bun.write(readmePath, withPart(readme, part, `${text}\n`))
}
