/** Secrets that look random, but were published in documentation. Many services use copies of them. */
const published = [
  // README of user-services-api, one of the two services that Keyward replaces
  '932a9a8a39cba70f83e0f0b095b6892a31b5923e28383fa6920c20ec970419cb',
  // FastAPI's tutorial on OAuth2 with JWT
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
]

const telling =
  /change[\s_-]?(?:me|this|it)|replace[\s_-]?(?:me|this|with)|insecure|placeholder|openssl[\s_-]+rand|<[^>]*>/i

/** The words of example secrets. Words of one or two letters are left out, because random text often contains them. */
const exampleWords = `
  characters character chars bytes bits bit long least minimum min random string
  secrets secret keys key tokens token password jwt hs256 auth access session
  signing your super very ultra safe secure strong better default example sample
  development dev production prod testing test demo dummy localhost local please
  generate must should some with here this that the for not use only and
  keyward fastapi django flask top foo bar baz`
const anyExampleWord = new RegExp(exampleWords.trim().replace(/\s+/g, '|'), 'g')

/** The fewest characters that a strong secret has left when the example words are removed. */
const ENOUGH = 16

/**
 * Returns true when a secret is public or easy to guess: an example from a README or a tutorial, a phrase of words from
 * such examples ("super-secret-jwt-token-with-at-least-32-characters-long"), a repeated pattern, or a run such as
 * "abcdef…". A random secret of 32 characters practically never matches.
 */
export function isKnownSecret(secret: string): boolean {
  const text = secret.trim().toLowerCase()
  return published.includes(text) || telling.test(text) || isPhrase(text) || isRepetition(text) || isRun(text)
}

function isPhrase(text: string): boolean {
  const rest = text.replace(anyExampleWord, '')
  return rest !== text && rest.replace(/[\s_.,:-]/g, '').length < ENOUGH
}

function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++)
    if (text.slice(period) === text.slice(0, -period)) return true
  return false
}

function isRun(text: string): boolean {
  let steps = 0
  for (let at = 1; at < text.length; at++) if (Math.abs(text.charCodeAt(at) - text.charCodeAt(at - 1)) <= 1) steps++
  return steps > 0 && steps >= (text.length - 1) * 0.75
}
