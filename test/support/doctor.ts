import { expect } from 'bun:test'
import type { Clock } from '../../src/lib/clock.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { keyward } from './cli.ts'

export interface Found {
  check: string
  subject: string | null
  verdict: string
  message: string
  fix: string | null
}

/** What `keyward doctor --json` printed. */
export interface Examination {
  code: number
  verdict: string
  findings: Found[]
  /** The findings of one check. */
  of(check: string): Found[]
  /** The verdicts of one check, each once. */
  verdictOf(check: string): string
  out: string
}

/**
 * Runs `keyward doctor --json` on a database, with the real clock, which is also PostgreSQL's. It holds what is true of
 * every report: the exit code follows from the verdicts, and every warning and problem has a fix.
 */
export async function examine(
  databaseUrl: string,
  env: Record<string, string> = {},
  { argv = [], clock = systemClock }: { argv?: readonly string[]; clock?: Clock } = {},
): Promise<Examination> {
  const { code, out, err } = await keyward(['doctor', '--json', ...argv], { databaseUrl, env, clock })
  expect(err).toBe('')
  const report = JSON.parse(out) as { version: string; verdict: string; findings: Found[] }
  expect(Object.keys(report)).toEqual(['version', 'verdict', 'findings'])
  const { verdict, findings } = report
  for (const finding of findings) {
    expect(Object.keys(finding)).toEqual(['check', 'subject', 'verdict', 'message', 'fix'])
    expect([finding.message, finding.fix !== null]).toEqual([
      finding.message,
      ['warning', 'problem'].includes(finding.verdict),
    ])
    // The message of a setting follows the subject in a sentence.
    expect(finding.message).toMatch(finding.check === 'configuration' ? /\.$/ : /^[A-Z“/].*[.?!]$/)
    if (finding.fix !== null) expect(finding.fix).toMatch(/^[A-Z].*[^;:]$/)
  }
  const has = (wanted: string) => findings.some((one) => one.verdict === wanted)
  expect(verdict).toBe(has('problem') ? 'problem' : has('warning') ? 'warning' : 'ok')
  expect(code).toBe(verdict === 'problem' ? 1 : 0)
  const of = (check: string) => findings.filter((one) => one.check === check)
  return {
    code,
    verdict,
    findings,
    out,
    of,
    verdictOf: (check) => [...new Set(of(check).map((one) => one.verdict))].join(' '),
  }
}
