import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { sqliteFile } from '../support/dialects.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { watchStatements } from '../support/replace.ts'
import { answered, type Page, person } from './support.ts'

const statements: string[] = []

describeApp(
  'lists for administrators',
  { replace: { store: watchStatements((sql) => void statements.push(sql)) } },
  (app) => {
    const addUsers = (first: number, count: number, of: (at: number) => object = () => ({})) =>
      app.rows.users.add(
        ...Array.from({ length: count }, (_, at) => ({
          id: first + at,
          email: `P${first + at}@Example.com`,
          emailKey: `p${first + at}@example.com`,
          username: `Person${first + at}`,
          usernameKey: `person${first + at}`,
          isActive: true,
          sessionEpoch: 0,
          createdAt: 0,
          updatedAt: 0,
          ...of(at),
        })),
      )
    const boss = () => person(app, 'boss', 'admin')
    const list = (token: string, query: string) => answered<Page>(app.request('GET', `/admin/users${query}`, { token }))
    const names = async (token: string, query: string) =>
      (await list(token, query)).items.map(({ username }) => username)
    const errorsOf = async (token: string, target: string) => {
      const { errors = [] } = await expectRefusal(
        await app.request('GET', `/admin/${target}`, { token }),
        'validation_failed',
      )
      return errors.map(({ field, message }) => [field, message])
    }
    const all = async (token: string, query: string, between: () => Promise<void> = async () => {}) => {
      const found: number[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Page = await list(token, `?limit=3${query}${cursor && `&cursor=${cursor}`}`)
        expect(page.items.length).toBeLessThanOrEqual(3)
        found.push(...page.items.map(({ id }) => id))
        cursor = page.next_cursor
        await between()
      }
      return found
    }

    test('14.1 users are found by the beginning of address or username in any case, and of their id', async () => {
      const { token } = await boss()
      await app.signUp('Zoe')
      await addUsers(100, 3)
      await addUsers(200, 1, () => ({ email: 'zoe.b@else.example', emailKey: 'zoe.b@else.example' }))
      await addUsers(300, 1, () => ({ username: 'Ünal', usernameKey: 'ünal' }))
      expect(await names(token, '?q=zO')).toEqual(['Zoe', 'Person200'])
      expect(await names(token, '?q=zoe@example')).toEqual(['Zoe'])
      expect(await names(token, '?q=Person10')).toEqual(['Person100', 'Person101', 'Person102'])
      expect(await names(token, '?q=P10')).toEqual(['Person100', 'Person101', 'Person102'])
      expect(await names(token, '?q=101')).toEqual(['Person101'])
      expect(await names(token, '?q=10')).toEqual(['Person100', 'Person101', 'Person102'])
      expect(await names(token, '?q=10&sort=-created_at&limit=1')).toEqual(['Person102'])
      // Ids have as many digits as 2^53.
      await addUsers(2 ** 52 - 1, 2)
      await addUsers(Number.MAX_SAFE_INTEGER, 1)
      const [last, largest] = [`Person${2 ** 52}`, `Person${Number.MAX_SAFE_INTEGER}`]
      expect(await names(token, '?q=450359962737049')).toEqual([`Person${2 ** 52 - 1}`, last])
      expect(await names(token, `?q=${2 ** 52}`)).toEqual([last])
      expect(await names(token, '?q=9')).toEqual([largest])
      const { next_cursor: cursor } = await list(token, '?q=45&limit=1')
      expect(await names(token, `?q=45&limit=1&cursor=${cursor}`)).toEqual([last])
      expect(await answered<object>(app.request('GET', `/admin/users/${2 ** 52}`, { token }))).toMatchObject({
        username: last,
      })
      for (const none of ['0', '010', '1e2', '-1', '1.0', '9007199254740993', '99999999999999999'])
        expect([none, await names(token, `?q=${none}`)]).toEqual([none, []])
      for (const id of [2 ** 52 - 1, 2 ** 52, Number.MAX_SAFE_INTEGER]) await app.rows.users.remove({ id })
      expect(await names(token, '?q=%C3%9Cn')).toEqual(['Ünal'])
      expect(await names(token, '?q=erson')).toEqual([])
      for (const wild of ['%25', '_', '%5C', "'", '*', 'person1__'])
        expect(await names(token, `?q=${wild}`)).toEqual([])
      expect(await names(token, '?q=')).toHaveLength(7)
      expect(await names(token, '?q=%20boss%20')).toEqual(['boss'])
      for (const bad of ['%00', 'a%0A', 'x'.repeat(255)])
        await expectRefusal(await app.request('GET', `/admin/users?q=${bad}`, { token }), 'validation_failed')
    })

    test('14.1 filters by role and state hold together with a search', async () => {
      const { token } = await boss()
      await addUsers(100, 6, (at) => ({ isActive: at % 2 === 0 }))
      expect(await names(token, '?role=admin')).toEqual(['boss'])
      expect(await names(token, '?role=user&limit=2')).toEqual(['boss', 'Person100'])
      expect(await names(token, '?role=nobody')).toEqual([])
      expect(await names(token, '?is_active=false')).toEqual(['Person101', 'Person103', 'Person105'])
      expect(await names(token, '?is_active=true&q=person')).toEqual(['Person100', 'Person102', 'Person104'])
      expect(await names(token, '?is_active=false&role=admin')).toEqual([])
    })

    test('14.1 a text that matches more than five thousand users finds each of them once', async () => {
      const { token } = await boss()
      for (let at = 0; at < 5300; at += 1060) await addUsers(1000 + at, 1060)
      const found: number[] = []
      for (let cursor = ''; ; ) {
        const page = await list(token, `?q=person&limit=100${cursor}`)
        found.push(...page.items.map(({ id }) => id))
        if (page.next_cursor === null) break
        cursor = `&cursor=${page.next_cursor}`
      }
      expect(found).toEqual(Array.from({ length: 5300 }, (_, at) => 1000 + at))
    })

    test('14.1 paging while users come and go neither misses nor repeats a user who stood throughout', async () => {
      const { token, id } = await boss()
      await addUsers(100, 20)
      let next = 500
      let gone = 100
      const between = async () => {
        // One from before the cursor, the one at the cursor or behind it, and new ones at both ends.
        await app.rows.users.remove({ id: gone })
        gone += 2
        await addUsers(next++, 1)
        if (next < 508) await addUsers(next - 450, 1)
      }
      const standing = [id, ...Array.from({ length: 10 }, (_, at) => 101 + at * 2)]
      const found = await all(token, '', between)
      expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
      expect(found.filter((one) => standing.includes(one))).toEqual(standing)
      const searched = await all(token, '&q=person')
      expect(searched).toEqual([...new Set(searched)])
    })

    test('14.1 a cursor that is none, and an unknown, repeated or wrong parameter, is 422', async () => {
      const { token } = await boss()
      const bad = [
        'cursor=',
        'cursor=0',
        'cursor=-1',
        'cursor=x',
        'cursor=1e3',
        'cursor=99999999999999999999',
        'cursor=1&cursor=2',
      ]
      const wrong = [
        'limit=0',
        'limit=101',
        'limit=x',
        'limit=1.5',
        'is_active=yes',
        'role=%00',
        'external_id=%00',
        `external_id=${'x'.repeat(129)}`,
        'isactive=false',
        'q=a&q=b',
        'q=%zz',
      ]
      for (const query of [...bad, ...wrong]) {
        const answer = await app.request('GET', `/admin/users?${query}`, { token })
        expect([query, (await expectRefusal(answer, 'validation_failed')).status]).toEqual([query, 422])
      }
      for (const query of ['after=x', 'event=no.such', 'user_id=x', 'user_id=0', 'cursor=1', 'limit=101'])
        await expectRefusal(await app.request('GET', `/admin/audit?${query}`, { token }), 'validation_failed')
    })

    test('14.1 the refusal of a wrong parameter names it, with a sentence for a person', async () => {
      const { token } = await boss()
      for (const wrong of [
        'users?limit=0',
        'users?limit=101',
        'users?limit=x',
        'users?limit=1.5',
        'users?is_active=yes',
      ])
        expect([wrong, await errorsOf(token, wrong)]).toEqual([
          wrong,
          [[/\?(\w+)=/.exec(wrong)![1]!, expect.any(String)]],
        ])
      const limit = 'The limit must be a whole number from 1 to 100'
      expect(await errorsOf(token, 'roles?limit=101')).toEqual([['limit', limit]])
      expect(await errorsOf(token, 'roles?limit=x')).toEqual([['limit', limit]])
      const id = 'The id of a user is a whole number from 1 on'
      expect(await errorsOf(token, 'api-keys?owner_id=0')).toEqual([['owner_id', id]])
      expect(await errorsOf(token, 'api-keys?owner_id=x')).toEqual([['owner_id', id]])
      expect(await errorsOf(token, 'audit?user_id=0')).toEqual([['user_id', id]])
      expect(await errorsOf(token, 'audit?event=no.such')).toEqual([['event', 'There is no event with this name']])
      const cursor = 'Send the next_cursor of the page before, or leave it out'
      expect(await errorsOf(token, 'audit?after=x')).toEqual([['after', cursor]])
      expect(await errorsOf(token, 'api-keys?cursor=x')).toEqual([['cursor', cursor]])
    })

    test('14.1 a user is read by id, without hash and counters; no other text is an id', async () => {
      const { token, id } = await boss()
      const user: object = await answered<object>(app.request('GET', `/admin/users/${id}`, { token }))
      const own = await answered<object>(app.request('GET', '/users/me', { token }))
      expect(user).toEqual({ ...own, inactive_until: null, invited_at: null })
      for (const none of ['99999', '0', 'abc', '-1', '1e3', `0${id}`, '9'.repeat(30)])
        await expectRefusal(await app.request('GET', `/admin/users/${none}`, { token }), 'user_not_found')
    })

    test('14.1 the audit log is read page by page, by event and by user', async () => {
      const { token, id } = await boss()
      const ada = await app.signUp('ada')
      type Event = { id: number; event: string; user_id: number; actor_id: number | null; details: object | null }
      const read = (query: string) => answered<Page<Event>>(app.request('GET', `/admin/audit${query}`, { token }))
      const whole = await read('?limit=100')
      expect(whole.next_cursor).toBeNull()
      expect(whole.items.length).toBeGreaterThan(5)
      const found: Event[] = []
      for (let cursor = ''; ; ) {
        const page = await read(`?limit=2${cursor}`)
        found.push(...page.items)
        // Newer events do not move the older ones.
        await app.record({ event: 'login.failed', userId: ada.id })
        if (page.next_cursor === null) break
        cursor = `&after=${page.next_cursor}`
      }
      expect(found).toEqual(whole.items)
      expect((await read(`?user_id=${ada.id}&event=user.registered`)).items).toMatchObject([
        { event: 'user.registered', user_id: ada.id, actor_id: null },
      ])
      expect((await read(`?event=role.granted`)).items).toMatchObject([{ user_id: id, details: { role: 'admin' } }])
    })

    test('O7: 14.1 no statement of a search lists the users without an index', async () => {
      const { token } = await boss()
      statements.length = 0
      await list(token, '?q=boss')
      const searches = statements.filter((sql) => sql.includes('_key" >='))
      const ranges = searches.flatMap(
        (sql) => sql.match(/select (?:"users"\.)?"id" from "users" where [^|]*?_key" >=/g) ?? [],
      )
      // Both are counted, up to a bound, and read.
      expect(ranges).toHaveLength(4)
      expect(searches.filter((sql) => sql.startsWith('select count(*)') && !sql.includes(' limit '))).toEqual([])
      if (app.config.DATABASE_URL.dialect !== 'sqlite') return
      using db = new Database(sqliteFile(app.databaseUrl), { readonly: true })
      for (const sql of searches) {
        const plan = db.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`).all()
        expect(plan.filter(({ detail }) => /^SCAN users/.test(detail))).toEqual([])
        expect(plan.filter(({ detail }) => detail.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([])
      }
    })
  },
)
