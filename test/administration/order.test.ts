import { expect, test } from 'bun:test'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { watchStatements } from '../support/replace.ts'
import { answered, type Page, person } from './support.ts'

interface Listed {
  id: number
  email: string
  username: string
  created_at: string
}

const statements: string[] = []
const store = watchStatements((sql) => void statements.push(sql))

describeApp('the order of the list of users', { replace: { store } }, (app) => {
  /** Users whose ids, times, addresses and names have four different orders; four each are of the same time. */
  const addUser = (id: number) => {
    const email = `${'zyxwvutsrq'[id % 10]}${id}@Example.com`
    const username = `${'mnbvcxlkjh'[Math.floor(id / 3) % 10]}-Üser${id}`
    return app.rows.users.add({
      id,
      email,
      emailKey: email.toLowerCase(),
      username,
      usernameKey: username.toLowerCase(),
      isActive: id % 5 !== 0,
      sessionEpoch: 0,
      createdAt: 1_000_000 - Math.floor(id / 4),
      updatedAt: 0,
    })
  }
  const columns: Record<string, (user: Listed) => (string | number)[]> = {
    id: ({ id }) => [id],
    created_at: ({ created_at, id }) => [created_at, id],
    email: ({ email }) => [email.toLowerCase()],
    username: ({ username }) => [username.toLowerCase()],
  }
  const sorts = Object.keys(columns).flatMap((name) => [name, `-${name}`])

  test('O7: 14.1 is as asked, page by page, and misses or repeats nobody who stood throughout', async () => {
    const { token, id: boss } = await person(app, 'boss', 'admin')
    for (const sort of sorts) {
      for (const { id } of await app.rows.users.all()) if (id !== boss) await app.rows.users.remove({ id })
      for (let id = 100; id < 120; id++) await addUser(id)
      const found: Listed[] = []
      let next = 120
      for (let cursor: string | null = ''; cursor !== null; next += 2) {
        const path: string = `/admin/users?sort=${sort}&q=&limit=3${cursor && `&cursor=${cursor}`}`
        const page: Page<Listed> = await answered(app.request('GET', path, { token }))
        expect(page.items.length).toBeLessThanOrEqual(3)
        found.push(...page.items)
        cursor = page.next_cursor
        // The user of the cursor goes, if it is one of those that may go.
        const last = page.items.at(-1)!
        if (last.id !== boss && last.id % 2 === 0) await app.rows.users.remove({ id: last.id })
        if (next < 140) for (const id of [next, next + 1, next - 60]) await addUser(id)
      }
      const orderOf = columns[sort.replace('-', '')]!
      const inOrder = [...found].sort((a, b) => compare(orderOf(a), orderOf(b)) * (sort.startsWith('-') ? -1 : 1))
      expect([sort, found.map(({ id }) => id)]).toEqual([sort, inOrder.map(({ id }) => id)])
      expect(new Set(found.map(({ id }) => id)).size).toBe(found.length)
      for (let id = 101; id < 120; id += 2)
        expect([sort, found.map((user) => user.id)]).toEqual([sort, expect.arrayContaining([id])])
    }
  })

  test('14.1 holds together with a search and the filters, and a cursor of another order is 422', async () => {
    const { token } = await person(app, 'boss', 'admin')
    for (let id = 100; id < 120; id++) await addUser(id)
    const ids = async (query: string) =>
      (await answered<Page<Listed>>(app.request('GET', `/admin/users?${query}`, { token }))).items.map(({ id }) => id)
    expect(await ids('sort=-id&is_active=false')).toEqual([115, 110, 105, 100])
    expect(await ids('sort=email&is_active=false')).toEqual([105, 115, 100, 110])
    expect(await ids('sort=-created_at&q=z')).toEqual([100, 110])
    expect(await ids('sort=created_at&q=z')).toEqual([110, 100])
    expect(await ids('sort=username&role=admin')).toHaveLength(1)
    const cursors: Record<string, string> = {}
    for (const sort of sorts) {
      const path = `/admin/users?sort=${sort}&limit=1`
      cursors[sort] = (await answered<Page<Listed>>(app.request('GET', path, { token }))).next_cursor!
    }
    const refused = async (query: string) =>
      expectRefusal(await app.request('GET', `/admin/users?${query}`, { token }), 'validation_failed')
    for (const [sort, of] of [
      ['id', 'email'],
      ['id', 'created_at'],
      ['-created_at', 'id'],
      ['created_at', 'username'],
      ['email', 'created_at'],
      ['username', '-created_at'],
    ] as const)
      await refused(`sort=${sort}&cursor=${cursors[of]}`)
    for (const query of [
      'sort=',
      'sort=name',
      'sort=%2Bid',
      'sort=id&sort=id',
      'sort=email&cursor=AA',
      'sort=email&cursor=_w',
      'sort=email&cursor=a.b',
      `sort=email&cursor=${'a'.repeat(1500)}`,
      'sort=created_at&cursor=1.0',
      'sort=created_at&cursor=9999999999999999.1',
    ])
      await refused(query)
  })

  test('O7: 14.1 finds deactivated users, few or many, in every order, and few of them by their ids', async () => {
    const { token } = await person(app, 'boss', 'admin')
    const add = (first: number, count: number) =>
      app.rows.users.add(
        ...Array.from({ length: count }, (_, at) => {
          const [id, key] = [first + at, `p${first + at}`]
          const names = { email: `${key}@e.com`, emailKey: `${key}@e.com`, username: key, usernameKey: key }
          return { id, ...names, isActive: false, sessionEpoch: 0, createdAt: 10_000 - id, updatedAt: 0 }
        }),
      )
    const all = async (sort: string) => {
      const found: number[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const path: string = `/admin/users?is_active=false&sort=${sort}&limit=100${cursor && `&cursor=${cursor}`}`
        const page: Page<Listed> = await answered(app.request('GET', path, { token }))
        found.push(...page.items.map(({ id }) => id))
        cursor = page.next_cursor
      }
      return found
    }
    for (const sort of ['-created_at', 'email']) expect(await all(sort)).toEqual([])
    await add(2000, 40)
    statements.length = 0
    for (const sort of ['-created_at', 'email', 'username', 'id']) expect(await all(sort)).toHaveLength(40)
    const page = statements.find((sql) => sql.includes('order by'))
    expect(page).toContain('"users"."id" in (select "users"."id" from "users" where not "users"."is_active")')
    for (let first = 3000; first < 8200; first += 400) await add(first, 400)
    const ids = (count: number, first: number) => Array.from({ length: count }, (_, at) => first + at)
    const many = [...ids(40, 2000), ...ids(5200, 3000)]
    for (const sort of ['-created_at', 'email'])
      expect([sort, (await all(sort)).sort((a, b) => a - b)]).toEqual([sort, many])
  })
})

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at]!
    if (typeof one === 'number' && typeof other === 'number') {
      if (one !== other) return one - other
    } else {
      const order = Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)))
      if (order !== 0) return order
    }
  }
  return 0
}
