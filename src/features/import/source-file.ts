import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { systemReason } from '../../lib/error-reasons.ts'
import { printable } from '../../lib/printable.ts'
import { readCsv } from './csv.ts'
import { ForeignDatabaseError } from './foreign.ts'
import type { Source, SourceOptions, SourceRow } from './source.ts'

/** The columns of a CSV file, and the members of a JSON line, that an import reads. */
const fieldNames = [
  'id',
  'email',
  'username',
  'password_hash',
  'is_active',
  'created_at',
  'email_verified',
  'name',
  'locale',
  'email_verified_at',
  'external_id',
  'external_source',
  'password_scheme',
  'inactive_until',
  'invited_at',
  'roles',
  'totp',
  'passkeys',
  'webauthn_user_handle',
] as const
type Fields = Partial<Record<(typeof fieldNames)[number], string>>

const fields: ReadonlySet<string> = new Set(fieldNames)
const factorFields = ['totp', 'passkeys', 'webauthn_user_handle'] as const

/** The longest line of JSON, in UTF-16 units. */
const MAX_LINE = 65_536
/** The most unknown columns that the report names. */
const MAX_UNKNOWN = 50

/** Returns true when `from` is the path of a file for `openSourceFile`, as its ending tells. */
export const isSourceFile = (from: string): boolean => /\.(jsonl|ndjson|csv)$/i.test(from)

/** The number of accounts in a part. */
const PART = 1_000

/**
 * Opens a file of JSON lines (`.jsonl`, `.ndjson`) or CSV (`.csv`, RFC 4180, with a header). A line that cannot be read
 * becomes a row with a `problem`. `Source.rows` throws a ForeignDatabaseError also when a CSV file has no column
 * `email` or an open quote, and when the file has changed since it was opened.
 * @throws ForeignDatabaseError when the file cannot be read
 */
export async function openSourceFile(path: string, options: SourceOptions): Promise<Source> {
  const unknown = new Set<string>()
  const isCsv = /\.csv$/i.test(path)
  const readStamp = () => translated(path, async () => stampOf(await stat(path)))
  const opened = await readStamp()
  return {
    service: options.service ?? 'file',
    passwordless: true,
    idless: true,
    total: undefined,
    async *rows() {
      if ((await readStamp()) !== opened) throw new ForeignDatabaseError('The file has changed during the import')
      const chunks = translatedChunks(path)
      let part: SourceRow[] = []
      for await (const { line, record, problem } of isCsv ? csvRecords(chunks) : jsonRecords(chunks)) {
        for (const name in record) if (!fields.has(name) && unknown.size < MAX_UNKNOWN) unknown.add(name.slice(0, 64))
        if (record.email_verified !== undefined && !options.trustVerified) unknown.add('email_verified')
        if (record.roles !== undefined && !options.trustRoles) unknown.add('roles')
        if (options.withoutFactors) for (const name of factorFields) if (record[name] !== undefined) unknown.add(name)
        part.push({ ...rowOf(record, options), line, problem })
        if (part.length < PART) continue
        yield part
        part = []
      }
      if (part.length > 0) yield part
    },
    ignoredColumns: () => [...unknown],
    close: async () => {},
  }
}

const stampOf = ({ size, mtimeMs }: { size: number; mtimeMs: number }): string => `${size} ${mtimeMs}`

async function* translatedChunks(path: string): AsyncGenerator<string> {
  const chunks: AsyncIterable<string> = createReadStream(path, 'utf8')
  try {
    for await (const chunk of chunks) yield chunk
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function translated<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): ForeignDatabaseError {
  const { code = '' } = error as { code?: string }
  return new ForeignDatabaseError(`Cannot read ${printable(path)}: ${systemReason(code)} (${code})`, { cause: error })
}

const rowOf = (record: Fields, { trustVerified, trustRoles, withoutFactors }: SourceOptions): SourceRow => ({
  id: record.id ?? null,
  email: record.email ?? null,
  username: record.username ?? null,
  hash: record.password_hash ?? null,
  isActive: record.is_active,
  createdAt: record.created_at,
  emailVerified: trustVerified ? record.email_verified : undefined,
  name: record.name,
  locale: record.locale,
  emailVerifiedAt: record.email_verified_at,
  externalId: record.external_id,
  externalSource: record.external_source,
  hashScheme: record.password_scheme,
  inactiveUntil: record.inactive_until,
  invitedAt: record.invited_at,
  roles: trustRoles === true ? record.roles : undefined,
  ...(!withoutFactors && { totp: record.totp, passkeys: record.passkeys, userHandle: record.webauthn_user_handle }),
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

/**
 * Reads the records of JSON lines. The first line of an export of Keyward is about the export.
 * @throws ForeignDatabaseError for an export of a newer version, and for one that lacks users
 */
async function* jsonRecords(chunks: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let line = 0
  let found = 0
  let expected: number | undefined
  for await (const text of linesOf(chunks)) {
    line++
    if (text === undefined) yield { line, record: {}, problem: `the line is longer than ${MAX_LINE} characters` }
    else if (text.trim() !== '') {
      const record: (Fields & ExportLine) | undefined = readJsonRecord(text)
      if (line === 1 && record?.keyward_export !== undefined) {
        expected = usersOf(record)
        continue
      }
      found++
      yield record ? { line, record } : { line, record: {}, problem: 'the line is not a JSON object' }
    }
  }
  if (expected !== undefined && found !== expected)
    throw new ForeignDatabaseError(`The export is incomplete: it has ${found} of ${expected} users`)
}

/** The first line of an export; see `features/export`. */
interface ExportLine {
  keyward_export?: string
  users?: string
}

function usersOf({ keyward_export: version, users }: ExportLine): number {
  if (version !== '1')
    throw new ForeignDatabaseError('The file is an export of a newer version of Keyward: import it with that version')
  return Number(users)
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
