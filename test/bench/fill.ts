import { Database } from 'bun:sqlite'
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { binaryPath } from '../support/binary.ts'
import { scratchFolder } from '../support/scratch.ts'
import { password } from './requests.ts'
import { jwtSecret, keywardSettings, launch } from './servers.ts'

export interface Filling {
  users: number
  /** Per user. */
  sessions: number
}

/**
 * Inserts users and sessions into a migrated SQLite file by SQL; with bcrypt a million would take half a day. Ids start
 * at 1. User 17 is `user17`, with the password of all accounts here and sessions `17-0`, `17-1`, ..., padded to the
 * length of real ones.
 */
export async function fill(path: string, { users, sessions }: Filling): Promise<void> {
  const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 10 })
  const now = Date.now()
  using db = new Database(path)
  db.run('PRAGMA cache_size = -262144')
  db.run('BEGIN')
  db.run(
    `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
     INSERT INTO users (id, email, email_key, username, username_key, password_hash, password_scheme, is_active,
       session_epoch, created_at, updated_at)
     SELECT id, 'user' || id || '@example.com', 'user' || id || '@example.com', 'user' || id, 'user' || id, ?, 'bcrypt',
       1, 0, ?, ? FROM n`,
    [users, hash, now, now],
  )
  // In the order of the key: appending to an index is many times faster.
  db.run(
    `WITH RECURSIVE n (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k + 1 < ?)
     INSERT INTO sessions (id, user_id, epoch, amr, auth_time, mac_salt, created_at, refreshed_at, expires_at, ip)
     SELECT substr(users.id || '-' || k || '-' || 'padded-to-full-length', 1, 22) AS id, users.id, 0, 'pwd', ?,
       'AAAAAAAAAAAAAAAAAAAAAA', ?, ?, ?, '127.0.0.1' FROM users, n ORDER BY 1`,
    [sessions, now, now, now, now + 30 * 86_400_000],
  )
  db.run('COMMIT')
  db.run('PRAGMA wal_checkpoint(TRUNCATE)')
}

/** Makes a database. @returns the path of a database with this content */
export async function filled(content: Filling): Promise<string> {
  const path = join(scratchFolder('bench-db'), 'keyward.db')
  const { child } = launch(
    [await binaryPath(), 'migrate', 'up'],
    keywardSettings({ DATABASE_URL: `sqlite:///${path}` }),
  )
  if ((await child.exited) !== 0) throw new Error('keyward migrate up failed')
  await fill(path, content)
  return path
}

export const sessionId = (user: number, session: number): string =>
  `${user}-${session}-padded-to-full-length`.slice(0, 22)

/** Makes an access token for another user's session from one that Keyward signed with `JWT_ALG=HS256`. */
export function tokenLike(token: string, user: number, session: number): string {
  const [header = '', payload = ''] = token.split('.')
  const claims = {
    ...JSON.parse(Buffer.from(payload, 'base64url').toString()),
    sub: String(user),
    sid: sessionId(user, session),
    username: `user${user}`,
    email: `user${user}@example.com`,
  }
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`
}

/** The same numbers below 2^31 in every run (Park and Miller's generator). */
export function picker(): () => number {
  let state = 42
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state
  }
}
