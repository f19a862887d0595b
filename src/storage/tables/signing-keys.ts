import type { Columns } from '../columns.ts'

/**
 * The keys that sign access tokens.
 * @owner signing-keys
 */
export const signingKeyTables = (c: Columns) => ({
  signingKeys: c.table(
    'signing_keys',
    {
      /** RFC 7638 thumbprint; for HS256 the id of JWT_SECRET (`secretId` of `lib/seal.ts`). */
      kid: c.text('kid').primaryKey(),
      alg: c.text('alg').notNull(),
      /** Empty for HS256. */
      publicJwk: c.text('public_jwk').notNull(),
      /** PKCS #8, sealed like `data_keys.sealed_key`. Empty for HS256, and when the key is retired or revoked. */
      sealedPrivateKey: c.text('sealed_private_key').notNull(),
      /** `next`, `active`, `retired` or `revoked`. */
      state: c.text('state').notNull(),
      /** `active` while the key signs, else null. The unique index allows only one active key. */
      activeSlot: c.text('active_slot'),
      /** The algorithm while the key is `next`, else null. The unique index allows one next key per algorithm. */
      nextSlot: c.text('next_slot'),
      createdAt: c.int('created_at').notNull(),
      activatedAt: c.int('activated_at'),
      retiredAt: c.int('retired_at'),
      /** For a retired key, when the last token that it signed expires. Null before the key is retired. */
      expiresAt: c.int('expires_at'),
      revokedAt: c.int('revoked_at'),
      /** The longest lifetime, in milliseconds, of the tokens that the key may have signed. */
      longestToken: c.int('longest_token').notNull().default(0),
    },
    (t) => [
      c.uniqueIndex('signing_keys_active_slot_unique').on(t.activeSlot),
      c.uniqueIndex('signing_keys_next_slot_unique').on(t.nextSlot),
    ],
  ),
})
