import type { Columns } from '../columns.ts'

/**
 * The keys that sign access tokens.
 * @owner signing-keys
 */
export const signingKeyTables = (c: Columns) => ({
  signingKeys: c.table(
    'signing_keys',
    {
      /** The RFC 7638 thumbprint of the key; for HS256 the id of JWT_SECRET (`secretId` of `lib/seal.ts`). */
      kid: c.text('kid').primaryKey(),
      alg: c.text('alg').notNull(),
      /** Empty for HS256, which has no public key. */
      publicJwk: c.text('public_jwk').notNull(),
      /** PKCS #8, sealed with SECRET_KEY (`lib/seal.ts`). Empty for HS256, and when the key is retired or revoked. */
      sealedPrivateKey: c.text('sealed_private_key').notNull(),
      /** `next`, `active`, `retired` or `revoked`. */
      state: c.text('state').notNull(),
      /** `active` while the key signs, otherwise null. The unique index allows only one active key. */
      activeSlot: c.text('active_slot'),
      /** Equals `alg` while the key is `next`, otherwise null. The unique index allows one next key per algorithm. */
      nextSlot: c.text('next_slot'),
      createdAt: c.int('created_at').notNull(),
      activatedAt: c.int('activated_at'),
      retiredAt: c.int('retired_at'),
      /** For a retired key, when the last token of the key expires. Null while the key is `next` or `active`. */
      expiresAt: c.int('expires_at'),
      revokedAt: c.int('revoked_at'),
      /** The longest lifetime, in milliseconds, of an access token that the key may have signed. */
      longestToken: c.int('longest_token').notNull().default(0),
    },
    (t) => [
      c.uniqueIndex('signing_keys_active_slot_unique').on(t.activeSlot),
      c.uniqueIndex('signing_keys_next_slot_unique').on(t.nextSlot),
    ],
  ),
})
