import { afterEach, beforeEach, expect, test } from 'bun:test'
import { count, eq, getTableColumns, sql } from 'drizzle-orm'
import { violatedForeignKey, violatedUnique } from '../../src/storage/conflicts.ts'
import { execute, named, queryRows, readRows, statements } from '../../src/storage/statements.ts'
import { type DialectDatabase, describeEachDialect } from '../support/dialects.ts'
import { openMigrated, refusalOf, type TestStorage } from './support.ts'

const prepared = statements(({ q, t: { users, sessions } }, { select, returning, change }) => ({
  byKey: select(getTableColumns(users), (q) => q.from(users).where(eq(users.emailKey, named('key')))),
  byTime: select({ username: users.username }, (q) => q.from(users).where(eq(users.updatedAt, named('at')))),
  rename: returning(
    { username: users.username },
    q
      .update(users)
      .set({ username: named('username') })
      .where(eq(users.emailKey, named('key'))),
  ),
  setActive: change(q.update(users).set({ isActive: named('isActive'), emailVerifiedAt: named('at') })),
  count: select({ count: count() }, (q) => q.from(users)),
  grouped: select(
    {
      first: users.id,
      of: { isActive: users.isActive, doubled: sql`${users.updatedAt} * 2`.mapWith(Number) },
      last: users.email,
    },
    (q) => q.from(users),
  ),
  withSessions: select({ user: users.id, session: sql<string | null>`${sessions.id}` }, (q) =>
    q.from(users).leftJoin(sessions, eq(sessions.userId, users.id)),
  ),
}))

describeEachDialect('statements', (dialect) => {
  let database: DialectDatabase
  let storage: TestStorage
  let other: TestStorage

  beforeEach(async () => {
    database = await dialect.databaseUrl()
    storage = await openMigrated(database.url)
    other = await openMigrated(database.url)
  })
  afterEach(async () => {
    await storage.close()
    await other.close()
    await database.dispose()
  })

  const row = (name: string, more: object = {}) => ({
    email: `${name}@example.com`,
    emailKey: `${name}@example.com`,
    username: name,
    usernameKey: name,
    isActive: true,
    sessionEpoch: 0,
    createdAt: 1_781_234_567_890,
    updatedAt: 1_781_234_567_890,
    ...more,
  })
  const insert = async (name: string, more: object = {}, { store } = storage) =>
    (await store.q.insert(store.t.users).values(row(name, more)).returning())[0]!
  const find = async (name: string, { store } = storage) =>
    (await queryRows(store, prepared(store).byKey, { key: `${name}@example.com` }))[0]
  const rename = (username: string) =>
    queryRows(storage.store, prepared(storage.store).rename, { key: 'ada@example.com', username })

  test('prepared earlier see the data of their transaction, and outside only committed data', async () => {
    await insert('ada')
    expect((await find('ada'))?.username).toBe('ada')
    const seen: unknown[] = []
    await refusalOf(
      storage.store.transaction(async () => {
        expect(await rename('grace')).toEqual([{ username: 'grace' }])
        seen.push((await find('ada'))?.username, (await find('ada', other))?.username)
        throw new Error('no')
      }),
    )
    expect(seen).toEqual(['grace', 'ada'])
    expect((await find('ada'))?.username).toBe('ada')
    await storage.store.transaction(() => rename('hopper'))
    expect((await find('ada'))?.username).toBe('hopper')
    expect((await find('ada', other))?.username).toBe('hopper')
    expect(await rename('lovelace')).toEqual([{ username: 'lovelace' }])
    expect((await find('ada', other))?.username).toBe('lovelace')
  })

  test('of many parallel transactions each see their own data', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `user${index}`)
    const found = await Promise.all(
      names.map((name) =>
        storage.store.transaction(async () => {
          await insert(name)
          return (await find(name))?.usernameKey
        }),
      ),
    )
    expect(found).toEqual(names)
    expect(await queryRows(storage.store, prepared(storage.store).count)).toEqual([{ count: 24 }])
  })

  test.each([
    ['times', { createdAt: 1_781_234_567_890, emailVerifiedAt: 253_402_300_799_999 }],
    ['small and large numbers', { sessionEpoch: 2 ** 31, createdAt: 0, updatedAt: Number.MAX_SAFE_INTEGER }],
    ['a number below nothing', { createdAt: -(2 ** 40) }],
    ['no', { isActive: false }],
    ['nothing', { passwordHash: null, passwordScheme: null, emailVerifiedAt: null }],
    ['all kinds of text', { username: 'İß日本語 😀 e\u0301 \u202e\u2066 \n\t\\ \' " $1 ? %', email: '' }],
    ['a long text', { username: 'ä'.repeat(100_000) }],
    ['JSON', { username: '{"a":[1,null,"\\u0000"]}' }],
  ])('return %s unchanged', async (_, values) => {
    expect(await insert('ada', values)).toMatchObject({ ...row('ada', values) })
    expect(await find('ada')).toMatchObject({ ...row('ada', values) })
    await storage.store.transaction(async () => expect(await find('ada')).toMatchObject({ ...row('ada', values) }))
  })

  test('return groups, expressions and outer joins as their fields declare', async () => {
    const { store } = storage
    const { id } = await insert('ada', { isActive: false, updatedAt: 2 ** 40 })
    const rows = [{ first: id, of: { isActive: false, doubled: 2 ** 41 }, last: 'ada@example.com' }]
    expect(await queryRows(store, prepared(store).grouped)).toEqual(rows)
    expect(await readRows(store, prepared(store).grouped)).toEqual(rows)
    expect(await store.transaction(async () => readRows(store, prepared(store).grouped))).toEqual(rows)
    expect(await queryRows(store, prepared(store).withSessions)).toEqual([{ user: id, session: null }])
  })

  test('count the changed rows, and bind values of every kind', async () => {
    const { store } = storage
    const { setActive } = prepared(store)
    expect(await execute(store, setActive, { isActive: false, at: 1 })).toBe(0)
    await insert('ada')
    await insert('grace')
    expect(await execute(store, setActive, { isActive: false, at: null })).toBe(2)
    expect(await find('ada')).toMatchObject({ isActive: false, emailVerifiedAt: null })
    await store.transaction(async () => expect(await execute(store, setActive, { isActive: true, at: 5 })).toBe(2))
    expect(await find('grace')).toMatchObject({ isActive: true, emailVerifiedAt: 5 })
  })

  test('refuse to run without a named value', async () => {
    const { store } = storage
    expect(() => readRows(store, prepared(store).byTime, {})).toThrow('was given no at')
    expect(await refusalOf(queryRows(store, prepared(store).byTime, { At: 1 }))).toContain('was given no at')
  })

  test('look up numbers of any size', async () => {
    await insert('ada', { updatedAt: 7 })
    await insert('grace', { updatedAt: 7_781_234_567_890 })
    for (const [at, name] of [
      [7, 'ada'],
      [7_781_234_567_890, 'grace'],
      [7, 'ada'],
    ] as const)
      expect(await queryRows(storage.store, prepared(storage.store).byTime, { at })).toEqual([{ username: name }])
  })

  test('never reuse an id, not even that of a deleted last row, nor across a restart', async () => {
    const { users } = storage.store.t
    const ids = [(await insert('ada')).id, (await insert('grace')).id]
    await storage.store.q.delete(users).where(eq(users.id, ids[1]!))
    ids.push((await insert('hopper')).id)
    await storage.store.q.delete(users)
    await storage.close()
    storage = await openMigrated(database.url)
    ids.push((await insert('lovelace')).id)
    expect(ids.every((id, index) => index === 0 || id > ids[index - 1]!)).toBe(true)
  })

  test('name the unique index or primary key that they violate, inside a transaction and outside', async () => {
    const { q, t } = storage.store
    const conflict = (work: () => Promise<unknown>) => work().then(() => 'none', violatedUnique)
    const ada = await insert('ada')
    await storage.rows("INSERT INTO write_probes (name, written_at) VALUES ('a', 1)")
    const cases: [() => Promise<unknown>, string | undefined][] = [
      [() => insert('x', { emailKey: 'ada@example.com' }), 'users.email_key'],
      [() => insert('x', { usernameKey: 'ada' }), 'users.username_key'],
      [() => insert('x', { id: ada.id }), 'users.id'],
      // A value that looks like PostgreSQL's own message.
      [() => insert('(x)=(', { usernameKey: 'ada' }), 'users.username_key'],
      [() => storage.rows("INSERT INTO write_probes (name, written_at) VALUES ('a', 2)"), 'write_probes.name'],
      [() => q.insert(t.users).values({ ...row('y'), email: null as never }), undefined],
      [() => insert('fine'), 'none'],
    ]
    for (const [work, column] of cases) {
      expect(
        await conflict(() =>
          storage.store.transaction(async () => void (await work())).catch((e) => Promise.reject(e)),
        ),
      ).toBe(column as string)
      if (column !== 'none') expect(await conflict(work)).toBe(column as string)
    }
    for (const other of [undefined, null, 'text', new Error('plain')]) expect(violatedUnique(other)).toBeUndefined()
  })

  test('report a missing row', async () => {
    const session = storage.rows(`INSERT INTO user_roles (user_id, role, granted_at) VALUES (999, 'admin', 1)`)
    const error = await session.catch((thrown: unknown) => thrown)
    expect(violatedForeignKey(error)).toBe(true)
    expect(violatedUnique(error)).toBeUndefined()
    expect(violatedForeignKey(new Error('plain'))).toBe(false)
  })

  test('of 24 in parallel that insert one name, one succeeds, from two processes', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        insert('ada', {}, index % 2 ? storage : other).then(() => 'added', violatedUnique),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(1)
    expect(
      outcomes.filter((outcome) => outcome === 'users.email_key' || outcome === 'users.username_key'),
    ).toHaveLength(23)
  })

  test('are built once per database', () => {
    let built = 0
    const counted = statements(() => ++built)
    expect([counted(storage.store), counted(storage.store), counted(other.store)]).toEqual([1, 1, 2])
  })
})
