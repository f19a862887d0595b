import { createReadStream } from 'node:fs'
import { systemReason } from '../../lib/error-reasons.ts'
import { readCsv } from './csv.ts'
import { ForeignDatabaseError } from './foreign.ts'
import type { Source, SourceRow } from './source.ts'

/** The columns of a CSV file, and the members of a JSON line, that an import reads. */
const fields = [
  'id',
  'email',
  'username',
  'password_hash',
  'is_active',
  'created_at',
  'email_verified',
  'name',
  'locale',
] as const
type Fields = Partial<Record<(typeof fields)[number], string>>

/** The longest line of JSON, in UTF-16 units. */
const MAX_LINE = 65_536
/** The most unknown columns that the report names. */
const MAX_UNKNOWN = 50

/** Returns true when `from` is the path of a file for `readSourceFile`, as its ending tells. */
export const isSourceFile = (from: string): boolean => /\.(jsonl|ndjson|csv)$/i.test(from)

/**
 * Reads accounts from a file of JSON lines (`.jsonl`, `.ndjson`) or CSV (`.csv`, RFC 4180, with a header). The file is
 * read in parts; only its accounts are kept in memory. A line that cannot be read becomes a row with a `problem`.
 * @param options.trustVerified true to import `email_verified`
 * @throws ForeignDatabaseError when the file cannot be read, or a CSV file has no column `email` or an open quote
 */
export async function readSourceFile(path: string, options: { trustVerified: boolean }): Promise<Source> {
  const unknown = new Set<string>()
  const rows: SourceRow[] = []
  const isCsv = /\.csv$/i.test(path)
  try {
    const chunks: AsyncIterable<string> = createReadStream(path, 'utf8')
    for await (const { line, record, problem } of isCsv ? csvRecords(chunks) : jsonRecords(chunks)) {
      for (const name of Object.keys(record))
        if (!fields.includes(name as keyof Fields) && unknown.size < MAX_UNKNOWN) unknown.add(name.slice(0, 64))
      if (record.email_verified !== undefined && !options.trustVerified) unknown.add('email_verified')
      rows.push({ ...rowOf(record, options), line, problem })
    }
  } catch (error) {
    if (error instanceof ForeignDatabaseError) throw error
    const { code = '' } = error as { code?: string }
    throw new ForeignDatabaseError(`The file cannot be read: ${systemReason(code)} (${code})`, { cause: error })
  }
  return { service: 'file', rows, ignoredColumns: [...unknown] }
}

const rowOf = (record: Fields, { trustVerified }: { trustVerified: boolean }): SourceRow => ({
  id: record.id ?? null,
  email: record.email ?? null,
  username: record.username ?? null,
  hash: record.password_hash ?? null,
  isActive: record.is_active,
  createdAt: record.created_at,
  emailVerified: trustVerified ? record.email_verified : undefined,
  name: record.name,
  locale: record.locale,
})

interface FileRecord {
  /** The number of the line where the record begins, from 1. */
  line: number
  /** The values that are neither empty nor null. */
  record: Fields
  problem?: string
}

async function* csvRecords(chunks: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let header: string[] | undefined
  for await (const { line, values, problem } of readCsv(chunks)) {
    if (problem !== undefined) throw new ForeignDatabaseError(`Line ${line} of the file: ${problem}`)
    if (header === undefined) {
      header = values.map((name) => name.trim().toLowerCase())
      if (!header.includes('email') || new Set(header).size < header.length)
        throw new ForeignDatabaseError(
          'The first line of a CSV file must name its columns, each once, among them "email"',
        )
      continue
    }
    const found = values.map((value, at) => [header![at], value] as const).filter(([name, value]) => name && value)
    const ofOther = `the line has ${values.length} values and not ${header.length}, as the first line has`
    yield values.length === header.length
      ? { line, record: Object.fromEntries(found) }
      : { line, record: {}, problem: ofOther }
  }
}

async function* jsonRecords(chunks: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let line = 0
  for await (const text of linesOf(chunks)) {
    line++
    if (text === undefined) yield { line, record: {}, problem: `the line is longer than ${MAX_LINE} characters` }
    else if (text.trim() !== '') {
      const record = readJsonRecord(text)
      yield record ? { line, record } : { line, record: {}, problem: 'the line is not a JSON object' }
    }
  }
}

/** Splits text into lines; a line that is too long is undefined, and is not kept in memory. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  let rest: string | undefined = ''
  let isFirst = true
  for await (const chunk of chunks) {
    const [head = '', ...more]: string[] = (isFirst ? chunk.replace(/^\ufeff/, '') : chunk).split('\n')
    isFirst = false
    rest = rest === undefined ? undefined : bounded(rest + head)
    for (const next of more) {
      yield rest
      rest = bounded(next)
    }
  }
  if (rest !== '') yield rest
}

const bounded = (text: string): string | undefined => (text.length > MAX_LINE ? undefined : text)

function readJsonRecord(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const present = Object.entries(value).filter(([, member]) => member !== null && member !== '')
    return Object.fromEntries(present.map(([name, member]) => [name, textOf(member)]))
  } catch {
    return undefined
  }
}

/** The text of a JSON value. The credential of Keycloak in `password_hash` is an object. */
const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))
