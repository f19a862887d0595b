/**
 * The setting that `name` is probably a misspelling of; `undefined` for a setting's own name and for any other name.
 * Case, separators and a prefix `KEYWARD_` are ignored. Beyond that, one typing error is allowed (a letter missing, added
 * or changed, or two swapped), and two in a long name. `shortNames` is false for the process environment: it is full of
 * other programs' names, and `HOST` and `PORT` are too short to allow an error there.
 */
export function nearMiss(name: string, keys: readonly string[], shortNames: boolean): string | undefined {
  if (keys.includes(name)) return undefined
  const bare = letters(name)
  return keys.find((key) => lettersOf(key) === bare) ?? keys.find((key) => isSlip(bare, lettersOf(key), shortNames))
}

const known = new Map<string, string>()

/** `letters` of a key, remembered: every start compares the whole environment with every key. */
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
 * A fast check before `distance`: `slips` errors break at most two parts of `key` each, so one of its parts must appear
 * in `name`. Nearly all names fail here, and a start compares the whole environment.
 */
function shares(name: string, key: string, slips: number): boolean {
  const parts = 2 * slips + 1
  for (let part = 0; part < parts; part++) {
    const from = Math.floor((part * key.length) / parts)
    if (name.includes(key.slice(from, Math.floor(((part + 1) * key.length) / parts)))) return true
  }
  return false
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
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
