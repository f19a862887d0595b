import type { Columns } from '../columns.ts'

export const keyTables = (c: Columns) => ({
  signingKeys: c.table(
    'signing_keys',
    {
      /** RFC 7638 thumbprint. */
      kid: c.text('kid').primaryKey(),
      alg: c.text('alg').notNull(),
      publicJwk: c.text('public_jwk').notNull(),
      /** PKCS #8, sealed with SECRET_KEY; see `lib/seal.ts`. */
      sealedPrivateKey: c.text('sealed_private_key').notNull(),
      state: c.text('state').notNull(),
      /** Takes one value per algorithm while the key signs, else null: the index lets one key be active. */
      activeSlot: c.text('active_slot'),
      createdAt: c.int('created_at').notNull(),
    },
    (t) => [c.uniqueIndex('signing_keys_active_slot_unique').on(t.activeSlot)],
  ),
})
