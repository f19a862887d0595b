import { dictionary } from '@zxcvbn-ts/language-common'

/**
 * The best-known passwords that an account could have, for embedding: run by Bun when the importing module is bundled
 * or loaded, so that neither the package nor its unpacking is in the executable.
 * Shorter ones than eight characters are left out, since `PASSWORD_MIN_LENGTH` cannot go below that.
 * @returns 17,950 lower-case ASCII lines, joined by line feeds
 */
export function readCommonPasswords(): string {
  const lines = dictionary['passwords-common'].filter((password) => password.length >= 8 && !password.includes('\n'))
  return [...new Set(lines)].join('\n')
}
