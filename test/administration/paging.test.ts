import { expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { answered, type Page, person } from './support.ts'

const USERS = 60

/** Reads a list to its end, page by page, from one process after the other. @returns the ids in the order of the list */
async function read(on: readonly TestApp[], token: string, path: string, cursorName: string): Promise<number[]> {
  const found: number[] = []
  for (let cursor = '', at = 0; ; at++) {
    const target = `${path}${cursor && `&${cursorName}=${cursor}`}`
    const page = await answered<Page>(on[at % on.length]!.request('GET', target, { token }))
    found.push(...page.items.map(({ id }) => id))
    if (page.next_cursor === null) return found
    cursor = page.next_cursor
  }
}

/** Reads a list again and again while the writers write, and at least once. */
async function readWhile(writing: Promise<unknown>, readOnce: () => Promise<void>): Promise<void> {
  let isOver = false
  const end = writing.finally(() => {
    isOver = true
  })
  do await readOnce()
  while (!isOver)
  await end
}

describeEachDialect('a list that is read while others write', (dialect) => {
  const apps = appsPerTest()

  async function start() {
    const first = await apps.open({ dialect })
    const both = [first, await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, dialect })]
    const boss = await person(first, 'boss', 'admin')
    await first.rows.users.add(
      ...ids.map((id) => ({
        id,
        email: `page${id}@example.com`,
        emailKey: `page${id}@example.com`,
        username: `page${id}`,
        usernameKey: `page${id}`,
        isActive: true,
        sessionEpoch: 0,
        createdAt: 0,
        updatedAt: 0,
      })),
    )
    return { both, boss }
  }

  const ids = Array.from({ length: USERS }, (_, at) => 100 + at)
  const stands = (id: number) => id % 3 === 0

  /** Four writers on two processes delete two thirds of the users, from both ends, and register as many new ones. */
  function write(both: readonly TestApp[], token: string): Promise<unknown> {
    const going = ids.filter((id) => !stands(id))
    const writer = async (at: number) => {
      for (;;) {
        const id = at % 2 === 0 ? going.shift() : going.pop()
        if (id === undefined) return
        const app = both[at >> 1]!
        expect((await app.request('DELETE', `/admin/users/${id}`, { token })).status).toBe(204)
        const json = {
          email: `page-new${id}@example.com`,
          username: `page-new${id}`,
          password: 'correct horse battery',
        }
        expect((await app.request('POST', '/register', { json })).status).toBe(201)
      }
    }
    return Promise.all([0, 1, 2, 3].map(writer))
  }

  test('O7: 14.1 GET /admin/users misses and repeats no user who was there all the time', async () => {
    const { both, boss } = await start()
    const standing = ids.filter(stands)
    await readWhile(write(both, boss.token), async () => {
      for (const filter of ['', '&q=page', '&role=user&is_active=true']) {
        const found = await read(both, boss.token, `/admin/users?limit=4${filter}`, 'cursor')
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
        expect(found.filter((id) => standing.includes(id))).toEqual(standing)
      }
    })
    const left = (await both[0]!.rows.users.all()).map(({ id }) => id)
    expect(await read(both, boss.token, '/admin/users?limit=4', 'cursor')).toEqual(left)
    expect(left).toHaveLength(1 + USERS)
  })

  test('O7: 14.1 GET /admin/audit misses and repeats no event that was there all the time', async () => {
    const { both, boss } = await start()
    const [app] = both as [TestApp]
    for (let at = 0; at < 90; at++) await app.record({ event: 'login.failed', userId: 100 + (at % 7) })
    const rows = await app.rows.auditEvents.all()
    const [kept, removed] = [rows.filter(({ id }) => stands(id)), rows.filter(({ id }) => !stands(id))]
    const remove = async () => {
      for (const { id } of removed) await app.rows.auditEvents.remove({ id })
    }
    const newestFirst = (events: typeof rows) => events.map(({ id }) => id).sort((a, b) => b - a)
    const lists = [
      { filter: '', of: newestFirst(kept) },
      { filter: '&event=login.failed', of: newestFirst(kept.filter(({ event }) => event === 'login.failed')) },
      { filter: '&user_id=101', of: newestFirst(kept.filter(({ userId }) => userId === 101)) },
    ]
    await readWhile(Promise.all([write(both, boss.token), remove()]), async () => {
      for (const { filter, of } of lists) {
        const found = await read(both, boss.token, `/admin/audit?limit=4${filter}`, 'after')
        expect(found).toEqual([...new Set(found)].sort((a, b) => b - a))
        expect(found.filter((id) => of.includes(id))).toEqual(of)
      }
    })
    expect(await app.rows.auditEvents.count()).toBeGreaterThan(rows.length)
  })
})
