import type { Columns } from '../columns.ts'
import { userReference, type userTables } from './users.ts'

/** @owner users */
export const addressTables = (c: Columns, tables: ReturnType<typeof userTables>) => ({
  /**
   * The former addresses of users. Until `reserved_until`, nobody else can have such an address, because its owner can
   * undo the change of the address. Nobody in `users` has an address that is reserved.
   */
  reservedAddresses: c.table(
    'reserved_addresses',
    {
      /** The former `users.email_key`. */
      emailKey: c.text('email_key').primaryKey(),
      /** The former `users.email`. */
      email: c.text('email').notNull(),
      userId: userReference(c, tables, 'user_id'),
      /** The user's session epoch before the change, which grows with every change. */
      epoch: c.int('epoch').notNull(),
      reservedUntil: c.int('reserved_until').notNull(),
    },
    (t) => [
      c.index('reserved_addresses_user_id_index').on(t.userId),
      c.index('reserved_addresses_reserved_until_index').on(t.reservedUntil),
    ],
  ),
})
