import { asc, gt, sql } from 'drizzle-orm'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { FullUser } from './user.ts'

/** The most users that are in memory at a time. */
const PAGE = 500

const prepared = statements((db, { select }) => {
  const { users } = db.t
  const { passwordHash, passwordScheme, externalId, externalSource } = users
  const full = { ...userColumns(db), passwordHash, passwordScheme, externalId, externalSource }
  return {
    page: select(full, (q) =>
      q
        .from(users)
        .where(gt(users.id, named('after')))
        .orderBy(asc(users.id))
        .limit(PAGE),
    ),
    count: select({ count: sql<number>`count(*)`.mapWith(Number) }, (q) => q.from(users)),
  }
})

/** Reads all users in the order of their ids, in parts of at most `PAGE`. */
export async function* readAll(db: Db): AsyncGenerator<FullUser[]> {
  for (let after = 0; ; ) {
    const page = await queryRows(db, prepared(db).page, { after })
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    after = page.at(-1)!.id
  }
}

export async function countAll(db: Db): Promise<number> {
  const [row] = await queryRows(db, prepared(db).count)
  return row!.count
}
