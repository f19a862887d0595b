/**
 * One token of PostgreSQL's SQL. The alternatives, in order: an escape string, a name (may contain `$`), a string, a
 * quoted name, a line comment, a dollar-quoted string, a parameter, the start of a block comment, any other single
 * character. Escape strings precede names, so that `E'…'` is one token, while `note'…'` is a name and a string.
 */
const TOKEN =
  /[eE]'(?:[^'\\]|\\.|'')*'|[\p{L}_][\p{L}\p{N}_$]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n\r]*|(\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$).*?\1|\$(?<parameter>\d+)|(?<comment>\/\*)|./gsuy

/**
 * Replaces the parameters `$1`, `$2`, … of a statement. A `$1` in a string, a name or a comment is not a parameter
 * and is not replaced. The server's setting `standard_conforming_strings` must be on, which is the default.
 * @param replacement returns the text for the parameter with this number, from 1
 */
export function replaceParameters(text: string, replacement: (number: number) => string): string {
  const token = new RegExp(TOKEN)
  let replaced = ''
  let copied = 0
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const { parameter, comment } = match.groups!
    if (comment !== undefined) token.lastIndex = endOfComment(text, match.index)
    if (parameter === undefined) continue
    replaced += text.slice(copied, match.index) + replacement(Number(parameter))
    copied = token.lastIndex
  }
  return replaced + text.slice(copied)
}

/** Returns the index after the block comment that begins at `start`. PostgreSQL allows nested block comments. */
function endOfComment(text: string, start: number): number {
  const bound = /\/\*|\*\//g
  bound.lastIndex = start
  let depth = 0
  for (let match = bound.exec(text); match; match = bound.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return bound.lastIndex
  }
  return text.length
}
