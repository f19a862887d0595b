import type { Columns } from '../columns.ts'
import type { userTables } from './users.ts'

/** @owner proofs */
export const proofTables = (c: Columns, { users }: ReturnType<typeof userTables>) => ({
  /** The tokens and codes of mails: whoever shows one reads the address. A row is deleted when it is used. */
  proofs: c.table(
    'proofs',
    {
      /** The id of the mail, and the `challenge_id` that goes with a code. */
      id: c.text('id').primaryKey(),
      /** A `ProofPurpose`. */
      purpose: c.text('purpose').notNull(),
      /** Null for a pending registration, and for a decoy: a request for an address without an account. */
      userId: c.int('user_id').references(() => users.id, { onDelete: 'cascade' }),
      /** The id of a pending registration. */
      subject: c.text('subject'),
      /** The address that is proved, in lower case. */
      addressKey: c.text('address_key').notNull(),
      /** The user's session epoch when the proof was made. The proof ends with it. Null when it outlives the epoch. */
      epoch: c.int('epoch'),
      /** HMAC-SHA-256 of the token. Null once a newer token has replaced it. The token itself is not stored. */
      tokenMac: c.text('token_mac'),
      /** HMAC-SHA-256 of the code; null when the mail has no code. */
      codeMac: c.text('code_mac'),
      codeUntil: c.int('code_until'),
      /** How many codes were tried. */
      tries: c.int('tries').notNull(),
      expiresAt: c.int('expires_at').notNull(),
      createdAt: c.int('created_at').notNull(),
    },
    (t) => [
      c.uniqueIndex('proofs_token_mac_unique').on(t.tokenMac),
      c.index('proofs_user_id_purpose_index').on(t.userId, t.purpose),
      c.index('proofs_subject_index').on(t.subject),
      c.index('proofs_expires_at_index').on(t.expiresAt),
    ],
  ),
})
