/** Words of a database before the name of a part of the schema, which may be logged. */
const beforeName =
  /(?:^|\s)(?:column|constraint|extension|function|index|parameter|relation|schema|sequence|table|trigger|type)\s$/
const quotation = /["'`´‘’‚‛“”„«»‹›「」]/
const name = /^[a-z_][a-z0-9_.]{0,127}$/i

/**
 * Removes values from the message of a PostgreSQL or SQLite error. The databases quote names and values alike. Names of
 * tables, columns and constraints stay. Any other quotation may be a value, and the value may contain quotation marks:
 * the message ends there. Text after a colon stays only where SQLite has a name of the schema there. Long numbers and
 * bytes are replaced.
 */
export function withoutValues(message: string): string {
  let kept = ''
  let rest = message
  for (;;) {
    const at = rest.search(quotation)
    if (at < 0) {
      kept += rest
      break
    }
    kept += rest.slice(0, at)
    const end = rest.indexOf('"', at + 1)
    const quoted = rest.slice(at + 1, end)
    if (rest[at] !== '"' || end < 0 || !name.test(quoted) || !beforeName.test(kept)) {
      kept += '…'
      break
    }
    kept += rest.slice(at, end + 1)
    rest = rest.slice(end + 1)
  }
  return kept
    .replace(/^(?!.*(?:constraint failed|no such \w+): [\w., ]*$)([^:]*: ).*$/s, '$1…')
    .replace(/0x[0-9a-f]+(?:\s0x[0-9a-f]+)*|\d{6,}/gi, '…')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, 300)
}
