/** Why a text was refused. The message is fixed and holds nothing of the text, so it may be sent to the client. */
export class JsonError extends SyntaxError {
  override readonly name = 'JsonError'
}

/**
 * A strict `JSON.parse`: every text has the same meaning here and in any proxy or service that read it before.
 * Besides broken JSON (RFC 8259) it refuses:
 * - two members of one object with the same name, compared after unescaping. Section 4 leaves their meaning open, so one
 *   parser may check the first and another use the last;
 * - a member named `__proto__`, which becomes a prototype when the object is copied by assignment;
 * - a member named `toString`: converting the value to text throws (Elysia does so with a value that fails its schema);
 * - deep nesting.
 * Names such as `constructor` and `prototype` are kept: they arrive as plain own members and copying them is harmless.
 * Lone surrogates and NUL pass too, as in `JSON.parse`; the rules of the field check them.
 * @param options.maxDepth how many arrays and objects may be nested
 * @throws JsonError
 */
export function parseStrictJson(text: string, { maxDepth = 32 }: { maxDepth?: number } = {}): unknown {
  const written = countWrittenMembers(text, maxDepth)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The engine's message quotes the text, which may hold a password, so it is not kept as the cause.
    throw new JsonError('Malformed JSON')
  }
  // JSON.parse keeps the last of two members with one name, so each duplicate leaves the value one member short.
  // Counting lets the engine do the unescaping and the comparing, and needs no set of names.
  if (countKeptMembers(value) !== written) throw new JsonError('A member of the JSON is given twice')
  return value
}

const QUOTE = 0x22
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * The colons outside strings: in valid JSON exactly one for each member. The depth is checked here, on the text,
 * before anything is built from it. For broken JSON the count means nothing: JSON.parse refuses it.
 */
function countWrittenMembers(text: string, maxDepth: number): number {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = closingQuote(text, at)
        break
      case COLON:
        members++
        break
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > maxDepth) throw new JsonError('The JSON is nested too deeply')
        break
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--
    }
  }
  return members
}

/** Where the string that opens at `open` ends, or the end of the text. Jumps from quote to quote: 3 times faster than stepping. */
function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let run = at
    while (text.charCodeAt(run - 1) === BACKSLASH) run--
    if ((at - run) % 2 === 0) return at
  }
  return text.length
}

function countKeptMembers(root: unknown): number {
  let members = 0
  const pending = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    if (Array.isArray(value)) {
      for (const item of value) if (typeof item === 'object') pending.push(item)
      continue
    }
    const record = value as Record<string, unknown>
    for (const name of Object.keys(record)) {
      if (name === '__proto__' || name === 'toString') throw new JsonError('A member of the JSON has a forbidden name')
      members++
      if (typeof record[name] === 'object') pending.push(record[name])
    }
  }
  return members
}
