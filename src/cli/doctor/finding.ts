import type { Colour, CommandContext } from '../context.ts'
import { explain } from '../explain.ts'

/**
 * `ok`: nothing to do. `warning`: it works, and something is weak or unfinished. `problem`: something does not work.
 * `skipped`: the check was not made, because a problem of another check prevents it.
 */
export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped'

/** The checks of `keyward doctor`, in the order in which they are printed. */
export const checkNames = [
  'configuration',
  'settings',
  'files',
  'disk',
  'database',
  'integrity',
  'migrations',
  'writable',
  'clock',
  'data_keys',
  'signing_keys',
  'authenticator_apps',
  'secret_key',
  'clients',
  'first_admin',
  'second_factors',
  'mail',
  'client_address',
] as const

export type CheckName = (typeof checkNames)[number]

/** One result of a check. A check has several when it looks at several settings or files. */
export interface Finding {
  check: CheckName
  /** The setting or the path that the finding is about; null for a finding about the check as a whole. */
  subject: string | null
  verdict: Verdict
  message: string
  /** What to do, as a sentence; null for `ok` and `skipped`. */
  fix: string | null
}

export const ok = (check: CheckName, message: string, subject: string | null = null): Finding => ({
  check,
  subject,
  verdict: 'ok',
  message,
  fix: null,
})

export const skipped = (check: CheckName, message: string): Finding => ({ ...ok(check, message), verdict: 'skipped' })

interface Trouble {
  message: string
  fix: string
  subject?: string
}

export const warning = (check: CheckName, { message, fix, subject = undefined }: Trouble): Finding => ({
  check,
  subject: subject ?? null,
  verdict: 'warning',
  message,
  fix,
})

export const problem = (check: CheckName, trouble: Trouble): Finding => ({
  ...warning(check, trouble),
  verdict: 'problem',
})

/**
 * Explains the error of a check. The sentences of Keyward's errors say what is wrong and then, after a semicolon or a
 * full stop, what to do.
 * @param otherwise the fix when the sentence names none
 */
export function problemOf(check: CheckName, error: unknown, otherwise: string): Finding {
  // For an unexpected error, the second line is its stack, which says nothing to an operator.
  const [text = ''] = explain(error).split('\n')
  const [, what, fix, code = ''] = /^(.*?)(?:; |\. )(.*?)( \(\w+\))?\.?$/s.exec(text) ?? []
  if (what === undefined || fix === undefined) return problem(check, { message: sentence(text), fix: otherwise })
  return problem(check, { message: sentence(`${what}${code}`), fix: sentence(fix) })
}

/** Makes a clause a sentence: with a capital, and with a full stop unless it ends in a command or in punctuation. */
const sentence = (text: string): string => {
  const begun = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return /[.?!]$/.test(begun) ? begun : `${begun}.`
}

/** The worst verdict of the findings; `ok` when there is none. */
export function worstOf(findings: readonly Finding[]): 'ok' | 'warning' | 'problem' {
  const has = (verdict: Verdict) => findings.some((finding) => finding.verdict === verdict)
  return has('problem') ? 'problem' : has('warning') ? 'warning' : 'ok'
}

const colours: Record<Verdict, Colour> = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' }

/** Prints findings for a person: verdict, check and sentence in columns, the fix below. */
export function printFindings({ print }: Pick<CommandContext, 'print'>, findings: readonly Finding[]): void {
  for (const { verdict, check, subject, message, fix } of findings) {
    print(verdict, colours[verdict])
    print(`${' '.repeat(9 - verdict.length)}${check.padEnd(14)}  ${subject === null ? '' : `${subject}: `}${message}\n`)
    if (fix !== null) print(`${' '.repeat(25)}Fix: ${fix}\n`)
  }
}
