/**
 * Returns the setting that `name` probably misspells. Case, separators and a prefix `KEYWARD_` are ignored. One typing
 * error is allowed: a letter missing, added or changed, or two letters swapped. For a setting of 14 letters or more,
 * two errors are allowed.
 * @param keys the names of the settings
 * @param shortNames true to allow an error also in a setting of fewer than six letters, such as `HOST`. Pass false for
 * the process environment, which has many names of other programs
 * @returns undefined for the exact name of a setting, and for a name that is not similar to one
 */
export function nearMiss(name: string, keys: readonly string[], shortNames: boolean): string | undefined {
  if (keys.includes(name)) return undefined
  const bare = letters(name)
  return keys.find((key) => lettersOf(key) === bare) ?? keys.find((key) => isSlip(bare, lettersOf(key), shortNames))
}

const known = new Map<string, string>()

/**
 * Returns `letters` of a setting from a cache, because every start compares the whole environment with every setting.
 */
function lettersOf(key: string): string {
  const bare = known.get(key) ?? letters(key)
  known.set(key, bare)
  return bare
}

const letters = (name: string): string =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .replace(/^KEYWARD/, '')

function isSlip(name: string, key: string, shortNames: boolean): boolean {
  const forgiven = key.length >= 14 ? 2 : key.length >= 6 || shortNames ? 1 : 0
  if (Math.abs(name.length - key.length) > forgiven || !shares(name, key, forgiven)) return false
  return distance(name, key) <= forgiven
}

/**
 * Returns false when `distance` certainly exceeds `slips`. This check is fast, and nearly all names of the environment
 * fail it. `key` is cut into `2 * slips + 1` parts. Each error changes at most two parts, so at least one part must
 * appear in `name`.
 */
function shares(name: string, key: string, slips: number): boolean {
  const parts = 2 * slips + 1
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * key.length) / parts)
    if (name.includes(key.slice(from, Math.floor(((part + 1) * key.length) / parts)))) return true
  }
  return false
}

/**
 * Returns the fewest insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal
 * string alignment).
 */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        best = Math.min(best, beforeLast[column - 2]! + 1)
      current.push(best)
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}
