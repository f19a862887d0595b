import { describe, expect, test } from 'bun:test'
import { Glob } from 'bun'

/**
 * The lines of the security checklist that are marked critical or high, by their ids. The name of a test begins with the
 * ids of the lines that it proves: `A7, B1: are exact …`.
 */
const lines: Record<string, readonly number[]> = {
  // Credentials
  A: [1, 5, 7, 9, 10, 11, 12],
  // Hashing
  B: [1, 2, 4, 7, 8, 9, 10],
  // Enumeration
  C: [1, 2, 4],
  // Rate limits and lockout
  D: [1, 2, 3, 4, 5, 6, 8],
  // Access tokens
  E: [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15],
  // Refresh tokens
  F: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  // Sessions
  G: [2, 3],
  // Cookies, CSRF, hosts
  I: [1, 2, 4, 5, 6],
  // CORS and headers
  J: [1],
  // Input
  K: [1, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14],
  // Roles and administration
  O: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  // Secrets at rest and logs
  P: [1, 2, 3],
  // Denial of service
  R: [1, 2, 4, 5],
  // Supply chain and build
  S: [1, 2, 5],
  // Crash safety, storage, backup
  T: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12],
}

/** What no test can prove yet, and why. The groups H, L, M, N, Q and U are features that Keyward does not have. */
const notYet: Record<string, string> = {
  C4: 'no route mails anything yet: resets, links and verification come with the mail flows',
  F10: 'there are no clients: every refresh token is bound to client_id keyward',
  O6: 'no route reads, sets or impersonates: administration is the command line, which asks for the new password',
  O7: 'no route lists anything but the own sessions, of which there are at most MAX_SESSIONS_PER_USER',
  T10: 'there is no command for backups yet; the copy before an upgrade is tested in storage/sqlite-migrate.test.ts',
}

const ids = Object.entries(lines).flatMap(([group, numbers]) => numbers.map((number) => `${group}${number}`))

/** The ids that the names of tests begin with. */
async function idsInNames(): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const path of new Glob('**/*.test.ts').scan(`${import.meta.dir}/..`)) {
    const text = await Bun.file(`${import.meta.dir}/../${path}`).text()
    for (const [, , names] of text.matchAll(/\(\s*(['"`])((?:[A-Z]\d{1,2}, )*[A-Z]\d{1,2}): /g))
      for (const id of names!.split(', ')) found.add(id)
  }
  return found
}

describe('the security checklist', () => {
  test('every critical and high line of what Keyward has is proved by a test that names it', async () => {
    const named = await idsInNames()
    expect(ids.filter((id) => !(id in notYet) && !named.has(id))).toEqual([])
  })

  test('no line that has a test is excused', async () => {
    const named = await idsInNames()
    expect(Object.keys(notYet).filter((id) => named.has(id) || !ids.includes(id))).toEqual([])
  })

  test('no test is left out of the run', async () => {
    const skipped: string[] = []
    for await (const path of new Glob('**/*.test.ts').scan(`${import.meta.dir}/..`))
      if (/\b(test|it|describe)\.(skip|todo|only)\(/.test(await Bun.file(`${import.meta.dir}/../${path}`).text()))
        skipped.push(path)
    expect(skipped).toEqual([])
  })
})
