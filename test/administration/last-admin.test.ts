import { expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { type Person, person } from './support.ts'

/** Removes `of` as an administrator. @returns the status, or 204 and 409 for the exit codes of a command */
type Way = (on: TestApp, by: Person, of: Person) => Promise<number>

const sent = async (answer: Promise<Response>) => (await answer).status

const byCommand =
  (...command: string[]): Way =>
  async ({ databaseUrl, clock }, _, { username }) => {
    const { code, err } = await keyward(['users', ...command, username], { databaseUrl, clock })
    // The user may be gone already.
    if (code !== 0) expect(err).toMatch(/The last administrator must stay|not found/i)
    return code === 0 ? 204 : 409
  }

const requests: Record<string, Way> = {
  'demotes the other': (on, { token }, { id }) =>
    sent(on.request('DELETE', `/admin/users/${id}/roles/admin`, { token })),
  'deactivates the other': (on, { token }, { id }) =>
    sent(on.request('PATCH', `/admin/users/${id}`, { token, json: { is_active: false } })),
  'deletes the other': (on, { token }, { id }) => sent(on.request('DELETE', `/admin/users/${id}`, { token })),
  'deletes the own account': (on, _, { token }) => sent(on.request('DELETE', '/users/me', { token })),
}

const commands: Record<string, Way> = {
  'users deactivate': byCommand('deactivate'),
  'users delete': byCommand('delete', '--yes'),
}

const MANY = 24

describeEachDialect('the last two administrators', (dialect) => {
  const apps = appsPerTest()
  let round = 0

  /** Sends `MANY` removals at once, by both and of both administrators, to two processes of one database. */
  async function race(ways: readonly Way[], count = MANY) {
    const first = await apps.open({ dialect })
    const both = [first, await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, dialect })]
    round++
    const admins = [await person(first, `ada${round}`, 'admin'), await person(first, `bea${round}`, 'admin')]
    const statuses = await Promise.all(
      Array.from({ length: count }, (_, at) => {
        const turn = Math.floor(at / ways.length)
        return ways[at % ways.length]!(both[(turn >> 2) % 2]!, admins[(turn >> 1) % 2]!, admins[at % 2]!)
      }),
    )
    const holders = new Set((await first.rows.userRoles.all({ role: 'admin' })).map(({ userId }) => userId))
    const left = (await first.rows.users.all({ isActive: true })).filter(({ id }) => holders.has(id))
    const events = (await first.rows.auditEvents.all()).map(({ event }) => event)
    const removals = events.filter((event) => ['role.withdrawn', 'user.deactivated', 'user.deleted'].includes(event))
    await apps.closeAll()
    return { left: left.length, statuses: new Set(statuses), removals: removals.length }
  }

  test('O5: 14.1 of two administrators whom 24 requests remove at once, in the same way, one stays', async () => {
    for (const [name, way] of Object.entries(requests)) {
      const { left, removals, statuses } = await race([way])
      expect([name, left, removals]).toEqual([name, 1, 1])
      // 401: the caller is gone. 403: the caller was demoted. 404: the user is gone.
      for (const status of statuses) expect([200, 204, 401, 403, 404, 409]).toContain(status)
      expect([name, [...statuses].some((status) => status < 300)]).toEqual([name, true])
    }
  })

  test('O5: 14.1 of two administrators whom all routes and commands remove at once, one stays', async () => {
    const { left, removals } = await race([...Object.values(requests), ...Object.values(commands)])
    expect(left).toBe(1)
    expect(removals).toBeGreaterThan(0)
    const byCommands = await race(Object.values(commands), 8)
    expect(byCommands.left).toBe(1)
  })
})
