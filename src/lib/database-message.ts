/** The end of a text that a database continues with the quoted name of a part of the schema, such as `relation `. */
const beforeName =
  /(?:^|\s)(?:column|constraint|extension|function|index|parameter|relation|schema|sequence|table|trigger|type)\s$/
const quotation = /["'`´‘’‚‛“”„«»‹›「」]/
const name = /^[a-z_][a-z0-9_.]{0,127}$/i

/**
 * Removes values from the message of a PostgreSQL or SQLite error, so that the message may be logged. Names of tables,
 * columns and constraints stay. The databases quote names and values alike, so the message ends at the first quotation
 * that is not certainly a name. The text after a colon stays only where SQLite puts names there, as in `constraint
 * failed: users.email`. Numbers of six digits or more and hexadecimal bytes are replaced by `…`.
 * @returns at most 300 characters on one line
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
