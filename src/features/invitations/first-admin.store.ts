import { eq } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import type { FirstAdminLink } from './first-admin.ts'

const SLOT = 'link'

export async function find(db: Db): Promise<FirstAdminLink | undefined> {
  const { firstAdminLinks: links } = db.t
  const { subject, email, emailKey, sealed, createdAt, expiresAt } = links
  const [row] = await db.q
    .select({ subject, email, emailKey, sealed, createdAt, expiresAt })
    .from(links)
    .where(eq(links.slot, SLOT))
  return row
}

/** Stores the link, in place of the former one. */
export async function replace({ q, t: { firstAdminLinks } }: Db, link: FirstAdminLink): Promise<void> {
  await q
    .insert(firstAdminLinks)
    .values({ slot: SLOT, ...link })
    .onConflictDoUpdate({ target: firstAdminLinks.slot, set: link })
}

/** @returns false when there was no link */
export async function remove({ q, t: { firstAdminLinks } }: Db): Promise<boolean> {
  const removed = await q.delete(firstAdminLinks).returning({ slot: firstAdminLinks.slot })
  return removed.length > 0
}
