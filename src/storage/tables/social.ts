import type { Columns } from '../columns.ts'
import { userReference, type userTables } from './users.ts'

/** @owner social */
export const socialTables = (c: Columns, users: ReturnType<typeof userTables>) => ({
  /** The services with which people sign in to Keyward, such as Google. */
  providers: c.table('providers', {
    /** A part of the address of the callback, such as `google`. */
    name: c.text('name').primaryKey(),
    /** `oidc`, `google`, `microsoft`, `gitlab`, `github`, `discord` or `apple`. */
    kind: c.text('kind').notNull(),
    /** What the button says. */
    label: c.text('label').notNull(),
    issuer: c.text('issuer').notNull(),
    clientId: c.text('client_id').notNull(),
    /** The client secret or the private key, sealed with SECRET_KEY. Empty without one. */
    sealedSecret: c.text('sealed_secret').notNull(),
    /** What only this kind has, such as the tenant, as JSON. */
    settings: c.text('settings').notNull(),
    /** True when the provider's word that an address is verified counts. */
    trustsEmail: c.bool('trusts_email').notNull(),
    /** `ask` or `automatic`: what happens when an account with the address exists. */
    link: c.text('link').notNull(),
    /** True when people without an account get one. */
    signsUp: c.bool('signs_up').notNull(),
    isEnabled: c.bool('is_enabled').notNull(),
    createdAt: c.int('created_at').notNull(),
    updatedAt: c.int('updated_at').notNull(),
  }),
  /** The accounts at providers that are linked with users. */
  identities: c.table(
    'identities',
    {
      id: c.id('id'),
      userId: userReference(c, users, 'user_id'),
      provider: c.text('provider').notNull(),
      issuer: c.text('issuer').notNull(),
      subject: c.text('subject').notNull(),
      /** The address that the provider told at the link. Nothing is decided by it. */
      email: c.text('email'),
      createdAt: c.int('created_at').notNull(),
      lastUsedAt: c.int('last_used_at').notNull(),
    },
    (t) => [
      c.uniqueIndex('identities_issuer_subject_unique').on(t.issuer, t.subject),
      c.uniqueIndex('identities_user_id_provider_unique').on(t.userId, t.provider),
    ],
  ),
})
