import { and, eq } from 'drizzle-orm'
import { castPlaceholder, limitTo } from '../../storage/cast-placeholder.ts'
import { readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ t: { sessions } }, { select, selectDistinct }) => {
  const ofUser = eq(sessions.userId, castPlaceholder('userId', 'bigint'))
  return {
    atAddress: select({ id: sessions.id }, (q) =>
      q
        .from(sessions)
        .where(and(ofUser, eq(sessions.ip, castPlaceholder('ip', 'text'))))
        .limit(limitTo(1)),
    ),
    addressesOf: selectDistinct({ ip: sessions.ip }, (q) => q.from(sessions).where(ofUser).limit(limitTo(200))),
  }
})

/** Whether any session of this user, ended ones included, was last refreshed from this IP address. */
export const isKnownAddress = async (db: Db, by: { userId: number; ip: string }): Promise<boolean> =>
  (await readRows(db, prepared(db).atAddress, by)).length > 0

/** The IP addresses from which a user's sessions, ended ones included, were last refreshed; at most 200. */
export const addressesOf = async (db: Db, userId: number): Promise<string[]> =>
  (await readRows(db, prepared(db).addressesOf, { userId })).flatMap(({ ip }) => (ip === null ? [] : [ip]))
