import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

/**
 * The most common passwords. Bun runs this function when the importing module is bundled or loaded. So the executable
 * contains the list but not the package. Passwords of fewer than four characters are left out, because
 * they occur in good passwords by chance.
 * @returns 49,193 lower-case ASCII lines, joined by line feeds
 */
export function readCommonPasswords(): string {
  const lines = dictionary['passwords-common'].filter((password) => password.length >= 4 && !password.includes('\n'))
  return [...new Set(lines)].join('\n')
}

/**
 * The keys that touch on the US keyboard. Bun runs this function when the importing module is bundled or loaded.
 * @returns pairs of lower-case characters, joined by line feeds
 */
export function readKeyboard(): string {
  const pairs = new Set<string>()
  for (const [key, others] of Object.entries(adjacencyGraphs.qwerty ?? {}))
    for (const other of others) for (const char of other ?? '') pairs.add((key + char).toLowerCase())
  return [...pairs].join('\n')
}
