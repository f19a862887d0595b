import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

/**
 * Lists the most common passwords. Bun runs this function when it bundles or loads a module that imports the function,
 * so the executable contains the list but not the package `@zxcvbn-ts/language-common`. The list leaves out passwords
 * of fewer than four characters, because such words occur in good passwords by chance.
 * @returns 49,193 lower-case ASCII lines, joined by line feeds
 */
export function readCommonPasswords(): string {
  const lines = dictionary['passwords-common'].filter((password) => password.length >= 4 && !password.includes('\n'))
  return [...new Set(lines)].join('\n')
}

/**
 * Lists the adjacent keys of the US keyboard. Bun runs this function when it bundles or loads a module that imports the
 * function.
 * @returns pairs of characters, such as `qw` and `wq`, with letters in lower case, joined by line feeds
 */
export function readKeyboard(): string {
  const pairs = new Set<string>()
  for (const [key, others] of Object.entries(adjacencyGraphs.qwerty ?? {}))
    for (const other of others) for (const char of other ?? '') pairs.add((key + char).toLowerCase())
  return [...pairs].join('\n')
}
