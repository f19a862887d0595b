import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { sqliteFile } from '../support/dialects.ts'
import { describeApp } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'
import { answered, type Page, person } from './support.ts'

const statements: string[] = []
const store = watchStatements((sql) => void statements.push(sql))

interface Person {
  id: number
  key: string
  name: string
  at: number
  isActive: boolean
}

describeApp('a search that matches thousands of users', { replace: { store } }, (app) => {
  /** Two groups of more users than a search reads one by one, whose orders by id, time and name are alike. */
  const people: Person[] = Array.from({ length: 15_600 }, (_, at) => {
    const [group, number] = at < 10_400 ? [1, at] : [2, at - 10_400]
    return {
      id: (group === 1 ? 200_000 : 300_000) + number,
      key: `${group === 1 ? 'a' : 'b'}${String((number * 7) % 10_400).padStart(5, '0')}@e.com`,
      name: `${group === 1 ? 'y' : 'b'}${number}`,
      at: group * 1_000_000 + Math.floor(number / 3),
      isActive: number % 2 === 0 || group === 1,
    }
  })
  const orders: Record<string, (one: Person, other: Person) => number> = {
    id: (one, other) => one.id - other.id,
    created_at: (one, other) => one.at - other.at || one.id - other.id,
    email: (one, other) => (one.key < other.key ? -1 : 1),
    username: (one, other) => (one.name < other.name ? -1 : 1),
  }
  /** Orders in which the second group comes last. */
  const farSorts = ['id', 'created_at', 'email', '-username']
  const searches: [string, (person: Person) => boolean][] = [
    ['q=2', ({ id }) => id < 300_000],
    ['q=3', ({ id }) => id >= 300_000],
    ['q=3000', ({ id }) => id >= 300_000 && id < 300_100],
    ['q=b', ({ id }) => id >= 300_000],
    ['q=y', ({ id }) => id < 300_000],
    ['q=3&is_active=false', ({ id, isActive }) => id >= 300_000 && !isActive],
    ['q=b&role=second', ({ id }) => id >= 300_000],
    ['q=b&role=few', ({ id }) => id === 300_001],
    ['role=second', ({ id }) => id >= 300_000],
  ]

  test('O7: 14.1 is right in every order and on every page, wherever in the order the matches are', async () => {
    const { token } = await person(app, 'zboss', 'admin')
    for (let first = 0; first < people.length; first += 1_040)
      await app.rows.users.add(
        ...people.slice(first, first + 1_040).map(({ id, key, name, at, isActive }) => ({
          ...{ id, email: key, emailKey: key, username: name, usernameKey: name, isActive },
          ...{ sessionEpoch: 0, createdAt: at, updatedAt: 0 },
        })),
      )
    for (const name of ['second', 'few'])
      await app.rows.roles.add({ name, description: '', permissions: '', createdAt: 0 })
    for (let first = 10_400; first < people.length; first += 2_600)
      await app.rows.userRoles.add(
        ...people.slice(first, first + 2_600).map(({ id }) => ({ userId: id, role: 'second', grantedAt: 0 })),
      )
    await app.rows.userRoles.add({ userId: 300_001, role: 'few', grantedAt: 0 })
    for (const [query, matches] of searches)
      for (const by of Object.keys(orders))
        for (const sort of [by, `-${by}`]) {
          const expected = people.filter(matches).sort(orders[by])
          if (sort !== by) expected.reverse()
          let cursor = ''
          for (let page = 0; page < 2; page++) {
            statements.length = 0
            const path = `/admin/users?${query}&sort=${sort}&limit=100${cursor}`
            const { items, next_cursor }: Page = await answered(app.request('GET', path, { token }))
            const ids = items.map(({ id }) => id)
            expect([path, ids]).toEqual([path, expected.slice(page * 100, page * 100 + 100).map(({ id }) => id)])
            expect([path, next_cursor === null]).toEqual([path, expected.length <= page * 100 + 100])
            // Far away in the order, all matches are found by an index.
            const isFar = query === 'q=3' && page === 0 && farSorts.includes(sort)
            if (isFar) expect([path, scansOf(statements)]).toEqual([path, []])
            if (next_cursor === null) break
            cursor = `&cursor=${next_cursor}`
          }
        }
    // All pages of a list that begins far away.
    const found: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/admin/users?q=3&sort=email&limit=100${cursor && `&cursor=${cursor}`}`
      const page: Page = await answered(app.request('GET', path, { token }))
      found.push(...page.items.map(({ id }) => id))
      cursor = page.next_cursor
    }
    expect(found).toEqual(
      people
        .filter(({ id }) => id >= 300_000)
        .sort(orders.email)
        .map(({ id }) => id),
    )
  })

  /** What SQLite reads without an index in the statement of the page. */
  function scansOf(sent: readonly string[]): string[] {
    const page = sent.find((sql) => sql.includes('"email_verified_at"') && sql.includes(' in ('))
    if (page === undefined) return ['no page']
    if (app.config.DATABASE_URL.dialect !== 'sqlite') return []
    using db = new Database(sqliteFile(app.databaseUrl), { readonly: true })
    const plan = db.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${page}`).all()
    return plan.map(({ detail }) => detail).filter((detail) => /^SCAN users/.test(detail))
  }
})
