import { expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { execute, named, queryRows, readRows, statements } from '../../src/storage/statements.ts'
import { openMigrated } from './support.ts'

/* The compiler refuses wrong statements: each `@ts-expect-error` is an error if its line compiles. */

const prepared = statements(({ q, t: { users, sessions } }, { select, returning, change }) => ({
  name: select({ username: users.username }, (q) => q.from(users)),
  epoch: returning({ epoch: users.sessionEpoch }, q.update(users).set({ isActive: true })),
  remove: change(q.delete(users)),
  // @ts-expect-error the fields are those of another SELECT
  otherFields: select({ id: users.id }, () => q.select({ ip: sessions.ip }).from(sessions)),
  // @ts-expect-error an outer join makes a field null that says it never is
  outer: select({ sid: sessions.id }, (q) => q.from(users).leftJoin(sessions, eq(sessions.userId, users.id))),
}))

const misuse = [
  // @ts-expect-error only a SELECT may be read past the writer
  (db: Db) => readRows(db, prepared(db).epoch),
  // @ts-expect-error a statement without RETURNING has no rows
  (db: Db) => queryRows(db, prepared(db).remove),
  // @ts-expect-error SQLite does not count the rows of a RETURNING
  (db: Db) => execute(db, prepared(db).epoch),
  // @ts-expect-error a row has the fields that were named, no others
  async (db: Db) => (await queryRows(db, prepared(db).name))[0]?.email,
  // @ts-expect-error a field has the type of its column
  async (db: Db): Promise<number | undefined> => (await queryRows(db, prepared(db).name))[0]?.username,
  statements(({ q, t: { users } }, { change }) => ({
    // @ts-expect-error the fields of a RETURNING are named to `returning`
    remove: change(q.delete(users).returning({ id: users.id })),
  })),
]

type Db = Parameters<typeof prepared>[0]

test('mismatched fields and query do not compile; a placeholder not made by `named` is refused', async () => {
  expect(misuse).toHaveLength(6)
  const { store, close } = await openMigrated('sqlite::memory:')
  const raw = statements(({ q, t: { leases } }, { change }) => ({
    insert: change(q.insert(leases).values({ name: sql.placeholder('name'), holder: 'a', expiresAt: named('at') })),
  }))
  expect(() => raw(store)).toThrow('not made by `named`')
  await close()
})
