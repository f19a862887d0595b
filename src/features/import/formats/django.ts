import type { Format } from './format.ts'

/** Django's `auth_user`, or the table of another user model that derives from `AbstractBaseUser`. */
export const django: Format = {
  name: 'django',
  title: 'Django',
  dialects: ['sqlite', 'postgresql'],
  tables: ['auth_user'],
  columns: {
    id: ['id'],
    email: ['email'],
    username: ['username'],
    hash: ['password'],
    isActive: ['is_active'],
    createdAt: ['date_joined'],
    firstName: ['first_name'],
    lastName: ['last_name'],
    superuser: ['is_superuser'],
    staff: ['is_staff'],
  },
  required: ['id', 'email', 'hash'],
  marks: ['last_login'],
  passwordless: true,
  refine: (row, { firstName, lastName }) => ({
    ...row,
    name: [firstName, lastName].filter(Boolean).join(' ') || undefined,
    // A password that begins with "!" is unusable: the user logs in elsewhere, or not at all.
    hash: row.hash?.startsWith('!') ? null : row.hash,
  }),
}
