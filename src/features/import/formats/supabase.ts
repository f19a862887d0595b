import { readTime } from '../times.ts'
import { type Format, isTrue } from './format.ts'
import { factorsOf, factorTables } from './supabase-factors.ts'

/** GoTrue, the server of Supabase Auth. */
export const supabase: Format = {
  name: 'supabase',
  title: 'Supabase',
  dialects: ['postgresql'],
  tables: ['auth.users'],
  columns: {
    id: ['id'],
    email: ['email'],
    hash: ['encrypted_password'],
    // The second in databases of 2020 and earlier.
    verified: ['email_confirmed_at', 'confirmed_at'],
    createdAt: ['created_at'],
    metadata: ['raw_user_meta_data'],
    bannedUntil: ['banned_until'],
    deletedAt: ['deleted_at'],
    anonymous: ['is_anonymous'],
    superuser: ['is_super_admin'],
  },
  required: ['id', 'email', 'hash', 'verified', 'metadata'],
  marks: ['aud', 'raw_app_meta_data'],
  factors: factorTables,
  passwordless: true,
  refine(row, { verified, metadata, bannedUntil, deletedAt, anonymous, factorRows }, now) {
    const problem = deletedAt
      ? 'the account is deleted there'
      : isTrue(anonymous) && !row.email
        ? 'the account is anonymous and has no email address'
        : undefined
    return {
      ...row,
      ...factorsOf(factorRows),
      problem,
      emailVerified: verified ? 'true' : 'false',
      isActive: String(!bannedUntil || (readTime(bannedUntil) ?? now) < now),
      name: nameIn(metadata),
    }
  },
}

/** Reads the name in `raw_user_meta_data`, which the user or the provider of a social login wrote. */
function nameIn(metadata: string | null | undefined): string | undefined {
  try {
    const { full_name: fullName, name } = JSON.parse(metadata ?? '{}') as Record<string, unknown>
    return [fullName, name].find((text): text is string => typeof text === 'string' && text !== '')
  } catch {
    return undefined
  }
}
