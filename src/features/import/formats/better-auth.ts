import { readTime } from '../times.ts'
import { factorsOf, factorTables } from './better-auth-factors.ts'
import { type Format, isTrue } from './format.ts'

/** better-auth, with the names of its columns in camel case or in snake case, and of its tables in either number. */
export const betterAuth: Format = {
  name: 'better-auth',
  title: 'better-auth',
  dialects: ['sqlite', 'postgresql'],
  tables: ['user', 'users'],
  columns: {
    id: ['id'],
    email: ['email'],
    name: ['name'],
    verified: ['emailVerified', 'email_verified'],
    createdAt: ['createdAt', 'created_at'],
    // Of the plugins username, admin and anonymous.
    username: ['username'],
    role: ['role'],
    banned: ['banned'],
    bannedUntil: ['banExpires', 'ban_expires'],
    anonymous: ['isAnonymous', 'is_anonymous'],
    // Of the plugin two-factor.
    hasFactor: ['twoFactorEnabled', 'two_factor_enabled'],
  },
  required: ['id', 'email', 'verified', 'createdAt'],
  passwords: {
    tables: ['account', 'accounts'],
    user: ['userId', 'user_id'],
    kind: ['providerId', 'provider_id'],
    kindOfPassword: 'credential',
    hash: ['password'],
  },
  factors: factorTables,
  passwordless: true,
  refine(row, { role, banned, bannedUntil, anonymous, ...factors }, now) {
    const isOver = bannedUntil ? (readTime(bannedUntil) ?? now) < now : false
    return {
      ...row,
      ...factorsOf(factors),
      // The plugin makes an address up for such an account.
      problem: isTrue(anonymous) ? 'the account is anonymous' : undefined,
      isActive: String(!isTrue(banned) || isOver),
      isPrivileged: (role ?? '').split(',').includes('admin'),
    }
  },
}
