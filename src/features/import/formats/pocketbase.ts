import type { Format } from './format.ts'

/** The collection `users` in PocketBase's `data.db`. Other collections of the type "auth" are named by `--table`. */
export const pocketbase: Format = {
  name: 'pocketbase',
  title: 'PocketBase',
  dialects: ['sqlite'],
  tables: ['users'],
  columns: {
    id: ['id'],
    email: ['email'],
    username: ['username'],
    // Up to 0.22, and since 0.23.
    hash: ['passwordHash', 'password'],
    verified: ['verified'],
    name: ['name'],
    createdAt: ['created'],
  },
  required: ['id', 'email', 'hash', 'verified'],
  marks: ['tokenKey', 'emailVisibility'],
  passwordless: true,
}
