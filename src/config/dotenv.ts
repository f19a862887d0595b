import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { platform, userInfo } from 'node:os'
import { systemReason } from '../lib/error-reasons.ts'
import { ConfigError } from './problems.ts'

export interface DotenvFile {
  path: string
  entries: ReadonlyMap<string, { value: string; line: number }>
  /**
   * The lines that are invalid or set a key for the second time. `message` never quotes the line, because the line may
   * contain a secret.
   */
  problems: readonly { line: number; message: string }[]
  /** True when the permissions let users other than the owner read, write or execute the file. */
  isOpenToOthers?: boolean
  /**
   * True when the owner of the file is neither the user of this process nor root. This owner can change every setting.
   */
  isOfAnotherUser?: boolean
}

/**
 * Parses the text of a `.env` file. A line is `KEY=value` or `export KEY=value`. A `#` begins a comment at the start of
 * a line, and after a value when a space comes before the `#`. 'Single quotes' are literal; "double quotes" allow the
 * escapes `\n \r \t \" \\ \$`. A value ends at the end of its line, and variables are not expanded. A byte order mark
 * and CRLF are allowed. Lines count from 1.
 */
export function parseDotenv(text: string): Omit<DotenvFile, 'path'> {
  const entries = new Map<string, { value: string; line: number }>()
  const problems: { line: number; message: string }[] = []
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1
    const parsed = parseLine(content)
    if (parsed === undefined) continue
    if ('message' in parsed) problems.push({ line, message: parsed.message })
    else {
      const first = entries.get(parsed.key)
      if (first) problems.push({ line, message: `sets ${parsed.key} again, line ${first.line} already does` })
      else entries.set(parsed.key, { value: parsed.value, line })
    }
  }
  return { entries, problems }
}

/**
 * Makes one line from which `parseDotenv` reads exactly this key and value. The value may contain any character except
 * NUL.
 */
export function dotenvLine(key: string, value: string): string {
  if (/^[^\s"'#\\\0-\x1f]*$/.test(value)) return `${key}=${value}`
  const escaped = value
    .replace(/["\\]/g, '\\$&')
    .replace(/[\n\r\t]/g, (c) => ({ '\n': '\\n', '\r': '\\r' })[c] ?? '\\t')
  return `${key}="${escaped}"`
}

/**
 * Reads a `.env` file.
 * @param options.required true when the operator named the file, so the file must exist
 * @param options.user the id of the user of this process
 * @returns undefined when `required` is false and `path` is missing or a folder
 * @throws ConfigError when the file cannot be read or is not UTF-8, or when it is `required` and missing
 */
export function readDotenv(
  path: string,
  { required, user = userInfo().uid }: { required: boolean; user?: number },
): DotenvFile | undefined {
  let bytes: Uint8Array
  let isOpenToOthers: boolean
  let isOfAnotherUser: boolean
  try {
    const file = openSync(path, 'r')
    try {
      const { mode, uid } = fstatSync(file)
      // Windows has no permission bits and no numeric owners: it reports 0666 for every file.
      const hasOwners = platform() !== 'win32'
      isOpenToOthers = hasOwners && (mode & 0o077) !== 0
      isOfAnotherUser = hasOwners && uid !== 0 && uid !== user
      bytes = readFileSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!required && (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR')) return undefined
    throw new ConfigError([{ source: path, message: `cannot be read: ${systemReason(code)} (${code})` }])
  }
  try {
    return {
      path,
      isOpenToOthers,
      isOfAnotherUser,
      ...parseDotenv(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
    }
  } catch {
    throw new ConfigError([{ source: path, message: 'is not UTF-8 text' }])
  }
}

type Line = { key: string; value: string } | { message: string } | undefined

function parseLine(content: string): Line {
  // `trim` removes a byte order mark too.
  const line = content.trim()
  if (line === '' || line.startsWith('#')) return undefined
  if (line.includes('\0')) return { message: 'holds a NUL character; is the file UTF-8?' }
  const assignment = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=(.*)$/s.exec(line)
  if (!assignment) return { message: 'is not KEY=value' }
  const [, key = '', raw = ''] = assignment
  const value = parseValue(raw)
  return typeof value === 'string' ? { key, value } : value
}

function parseValue(raw: string): string | { message: string } {
  const value = raw.trimStart()
  if (value.startsWith("'")) return quoted(/^'([^']*)'(.*)$/s.exec(value))
  if (value.startsWith('"')) {
    const text = quoted(/^"((?:[^"\\]|\\.)*)"(.*)$/s.exec(value))
    return typeof text === 'string' ? unescaped(text) : text
  }
  // Only a "#" after a space begins a comment.
  return raw.replace(/\s#.*$/s, '').trim()
}

function quoted(match: RegExpExecArray | null): string | { message: string } {
  if (!match) return { message: 'has a quote that is not closed on the same line' }
  const [, inside = '', behind = ''] = match
  return /^\s*$|^\s+#/.test(behind) ? inside : { message: 'has text behind the closing quote' }
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' }

function unescaped(text: string): string | { message: string } {
  const unknown = [...text.matchAll(/\\(.)/gs)].some(([, letter = '']) => escapes[letter] === undefined)
  if (unknown) return { message: 'has an unknown escape in double quotes; use single quotes for a literal backslash' }
  return text.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? '')
}
