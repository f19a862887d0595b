import { readKeyboard } from './common-passwords.macro.ts' with { type: 'macro' }

/**
 * The least length of a repeated, sequential or keyboard part, in characters. Good passwords have shorter parts by
 * chance.
 */
const leastPart = 3

/** The least and the greatest length of a common password, in characters. The list has no shorter or longer ones. */
const leastWord = 4
const longestWord = 24

/** The greatest length of a pattern that is a part when it is repeated, such as `x7k` in `x7kx7kx7k`. */
const longestPattern = 4

/**
 * Judges whether a text consists wholly of guessable parts (NIST SP 800-63B-4: repetitive or sequential). The parts
 * are: a character or a short pattern repeated, an ascending or descending run, counted numbers, a walk over
 * neighbouring keys, a year, and one common password, once or repeated. Up to four digits can follow. A single
 * character outside these parts makes the text acceptable. Two different common passwords make it acceptable too, as in
 * a passphrase. White space, dots, `_` and `-` between the parts are ignored. The matchers of `@zxcvbn-ts/core` do not
 * replace this function: they take up to 0.36 s for 256 characters, accept `100101102103104`, and refuse
 * `correcthorsebatterystaple`.
 * @param folded the text in lower case. It must have at most 256 characters, because the time grows faster than the
 *   length
 * @param isCommon returns true for a common password
 */
export function isPattern(folded: string, isCommon: (word: string) => boolean): boolean {
  const joined = folded.replace(/[\s._-]/gu, '')
  return consistsOfParts(folded, isCommon) || (joined !== folded && consistsOfParts(joined, isCommon))
}

function consistsOfParts(text: string, isCommon: (word: string) => boolean): boolean {
  const chars = [...text]
  if (chars.length < leastPart) return false
  const ends = chars.map((_, start) => partEnds(chars, start))
  const reached = reachable(chars, ends)
  if (finishes(chars, reached)) return true
  const tried = new Set<string>()
  for (let start = 0; start < chars.length; start++) {
    if (!reached[start]) continue
    for (let length = leastWord; length <= longestWord && start + length <= chars.length; length++) {
      // A word that is a part already, such as `aaaa`, makes no more positions reachable.
      if (ends[start]?.includes(start + length)) continue
      const word = chars.slice(start, start + length).join('')
      if (tried.has(word) || !isCommon(word)) continue
      tried.add(word)
      if (finishes(chars, reachable(chars, ends, word))) return true
    }
  }
  return false
}

/** @returns for each position, whether parts and copies of `word` fill the text before this position */
function reachable(chars: string[], ends: number[][], word?: string): boolean[] {
  const reached = new Array<boolean>(chars.length + 1).fill(false)
  reached[0] = true
  const letters = word === undefined ? [] : [...word]
  for (let start = 0; start < chars.length; start++) {
    if (!reached[start]) continue
    for (const end of ends[start] ?? []) reached[end] = true
    if (letters.length > 0 && letters.every((letter, index) => chars[start + index] === letter))
      reached[start + letters.length] = true
  }
  return reached
}

/**
 * Returns true when parts fill the text. If the text ends in one to four digits, these digits need not be in a part.
 */
function finishes(chars: string[], reached: boolean[]): boolean {
  if (reached[chars.length]) return true
  let digits = chars.length
  while (digits > 0 && isDigit(chars[digits - 1])) digits--
  return digits > 0 && chars.length - digits <= 4 && reached[digits] === true
}

/** @returns the positions at which a part that begins at `start` can end */
function partEnds(chars: string[], start: number): number[] {
  const ends = countedEnds(chars, start)
  if (/^(?:19|20)[0-9]{2}$/.test(chars.slice(start, start + 4).join(''))) ends.push(start + 4)
  let longest = 0
  for (let period = 2; period <= longestPattern; period++) {
    let end = start + period
    while (end < chars.length && chars[end] === chars[end - period]) end++
    if (end - start >= period * 2) longest = Math.max(longest, end)
  }
  for (const follows of [isNextOrSame, (a: string, b: string) => isNextOrSame(b, a), areNeighbours]) {
    let end = start + 1
    while (end < chars.length && follows(chars[end - 1] ?? '', chars[end] ?? '')) end++
    longest = Math.max(longest, end)
  }
  for (let end = start + leastPart; end <= longest; end++) ends.push(end)
  return ends
}

/** @returns the positions at which three or more counted numbers that begin at `start`, such as `101112`, can end */
function countedEnds(chars: string[], start: number): number[] {
  const ends: number[] = []
  for (let width = 1; width <= 3; width++) {
    const first = chars.slice(start, start + width).join('')
    if (!/^[1-9][0-9]*$/.test(first) || first.length < width) continue
    let end = start + width
    for (let number = Number(first) + 1, count = 2; ; number++, count++) {
      const digits = String(number)
      if (chars.slice(end, end + digits.length).join('') !== digits) break
      end += digits.length
      if (count >= 3) ends.push(end)
    }
  }
  return ends
}

const isDigit = (char = ''): boolean => char >= '0' && char <= '9'

/** Returns true when `b` is the character `a` or the next code point. `0` follows `9`, as on a keyboard. */
function isNextOrSame(a: string, b: string): boolean {
  const step = (b.codePointAt(0) ?? 0) - (a.codePointAt(0) ?? 0)
  return step === 0 || step === 1 || (a === '9' && b === '0')
}

let neighbours: ReadonlySet<string> | undefined

/** Returns true when the characters are equal, or are on adjacent keys of the US keyboard. */
function areNeighbours(a: string, b: string): boolean {
  neighbours ??= new Set(readKeyboard().split('\n'))
  return a === b || neighbours.has(a + b)
}
