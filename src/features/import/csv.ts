export interface CsvRecord {
  /** The number of the line where the record begins, from 1. */
  line: number
  values: string[]
  /** Why the rest of the file cannot be read. Such a record is the last one. */
  problem?: string
}

/** The longest record, in UTF-16 units. It bounds the memory for a quote that is never closed. */
const MAX_RECORD = 65_536

/**
 * Reads CSV (RFC 4180): values are separated by commas, may be quoted, and a quoted value may contain line breaks and
 * doubled quotes. Lines end with LF or CRLF. Empty lines are skipped, and a byte order mark too.
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let [line, startedAt, size] = [1, 1, 0]
  let values: string[] = []
  let value = ''
  /** `bare`: outside quotes; `quoted`: inside; `closing`: after a quote inside, which ends the value or is doubled. */
  let state: 'bare' | 'quoted' | 'closing' = 'bare'
  const take = (): CsvRecord | undefined => {
    const record = { line: startedAt, values: [...values, value] }
    values = []
    value = ''
    size = 0
    state = 'bare'
    return record.values.length === 1 && record.values[0] === '' ? undefined : record
  }
  let isFirst = true
  for await (const chunk of chunks) {
    const text = isFirst ? chunk.replace(/^\ufeff/, '') : chunk
    isFirst = false
    for (const char of text) {
      if (size === 0) startedAt = line
      if (char === '\n') line++
      if (++size > MAX_RECORD)
        return yield { line: startedAt, values, problem: 'the record is too long; is a quote not closed?' }
      if (state === 'quoted') {
        if (char === '"') state = 'closing'
        else value += char
      } else if (char === '\n') {
        const record = take()
        if (record) yield record
      } else if (char === ',') {
        values.push(value)
        value = ''
        state = 'bare'
      } else if (char === '"' && state === 'closing') {
        value += char
        state = 'quoted'
      } else if (char === '"' && value === '') state = 'quoted'
      else if (char !== '\r') value += char
    }
  }
  if (state === 'quoted') return yield { line: startedAt, values, problem: 'a quote is not closed' }
  const record = take()
  if (record) yield record
}
