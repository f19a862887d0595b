import { dictionary } from '@zxcvbn-ts/language-common'

/**
 * The most common passwords. Bun runs this function when the importing module is bundled or loaded. So the executable
 * contains the list but not the package. Passwords of fewer than eight characters are left out, because
 * `PASSWORD_MIN_LENGTH` is at least eight.
 * @returns 17,950 lower-case ASCII lines, joined by line feeds
 */
export function readCommonPasswords(): string {
  const lines = dictionary['passwords-common'].filter((password) => password.length >= 8 && !password.includes('\n'))
  return [...new Set(lines)].join('\n')
}
