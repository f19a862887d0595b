import { catalogue, type ErrorCode, KeywardError } from '../../errors.ts'
import { problemOf } from '../errors.ts'

/** Makes an example of a code's problem document, with the function that also answers requests. */
export const problemExample = (code: ErrorCode, oauth: boolean) =>
  problemOf(new KeywardError(code, code === 'validation_failed' ? { errors: exampleErrors } : {}), oauth)

const exampleErrors = [{ field: 'email', message: 'This is not an email address' }]

/** The codes that the guard may answer on every route with this access word. A route declares any others itself. */
export function guardCodes(access: string): ErrorCode[] {
  if (access === 'open') return []
  const refusals: ErrorCode[] = ['not_authenticated', 'invalid_token']
  return access.includes(':') ? [...refusals, 'forbidden'] : refusals
}

/** Short names for codes that most routes have together. */
const together: Record<string, readonly ErrorCode[]> = {
  NoDatabase: ['database_busy', 'database_unavailable'],
  Unauthenticated: ['not_authenticated', 'invalid_token'],
}

/**
 * Returns the component name for the refusals of one status, such as `EmailTakenOrUsernameTaken`. The name depends only
 * on the set of codes, not on their order. Generated clients use the name.
 */
export function refusalName(codes: readonly ErrorCode[], oauth: boolean): string {
  let rest = Object.keys(catalogue).filter((code) => codes.includes(code as ErrorCode)) as ErrorCode[]
  const words: string[] = []
  for (const [word, group] of Object.entries(together)) {
    if (!group.every((code) => rest.includes(code))) continue
    rest = rest.filter((code) => !group.includes(code))
    words.push(word)
  }
  return (oauth ? 'OAuth' : '') + [...rest.map(pascalCase), ...words].join('Or')
}

const pascalCase = (code: string): string =>
  code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
