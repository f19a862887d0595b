/**
 * One token of PostgreSQL's SQL, as far as it decides where a parameter may stand: escape strings, names (which may hold `$`),
 * strings, quoted names, line comments, dollar quotes, parameters, the start of a block comment, and single characters.
 * Names come after escape strings, so that `E'…'` is one token, and `note'…'` a name and a string.
 */
const TOKEN =
  /[eE]'(?:[^'\\]|\\.|'')*'|[\p{L}_][\p{L}\p{N}_$]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n\r]*|(\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$).*?\1|\$(?<parameter>\d+)|(?<comment>\/\*)|./gsuy

/**
 * Replaces the parameters `$1`, `$2`, … of a statement, and nothing that looks like one in a string, a quoted name or a comment.
 * It assumes `standard_conforming_strings`, PostgreSQL's default.
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

/** Block comments may hold others. */
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
