import { Database } from 'bun:sqlite'
import { jwt } from '@elysiajs/jwt'
import { Elysia, t } from 'elysia'

/*
 * The service that one writes in an afternoon with Elysia, bun:sqlite, Bun.password and @elysiajs/jwt, for comparison
 * with Keyward. It is written well: WAL, cached statements, hashes outside of transactions, refresh tokens that rotate.
 */

interface UserRow {
  id: number
  email: string
  username: string
  password_hash: string
  is_active: number
  created_at: string
}

const db = new Database(process.env.DATABASE ?? 'users.db', { create: true })
db.run('PRAGMA journal_mode = WAL')
db.run('PRAGMA synchronous = NORMAL')
db.run(`CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY, email TEXT UNIQUE NOT NULL, username TEXT UNIQUE NOT NULL, password_hash TEXT NOT NULL,
  is_active INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL)`)
db.run(`CREATE TABLE IF NOT EXISTS refresh_tokens (
  hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), expires_at INTEGER NOT NULL)`)

const findUser = db.query<UserRow, [number]>('SELECT * FROM users WHERE id = ?')
const findLogin = db.query<UserRow, [string, string]>('SELECT * FROM users WHERE username = ? OR email = ?')
const insertUser = db.query<UserRow, [string, string, string, string]>(
  'INSERT INTO users (email, username, password_hash, created_at) VALUES (?, ?, ?, ?) RETURNING *',
)
const takeRefresh = db.query<{ user_id: number; expires_at: number }, [string]>(
  'DELETE FROM refresh_tokens WHERE hash = ? RETURNING user_id, expires_at',
)
const insertRefresh = db.query('INSERT INTO refresh_tokens (hash, user_id, expires_at) VALUES (?, ?, ?)')

const sha256 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')

function issueRefresh(userId: number): string {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  insertRefresh.run(sha256(token), userId, Date.now() + 30 * 86_400_000)
  return token
}

const rotate = db.transaction((token: string) => {
  const row = takeRefresh.get(sha256(token))
  if (!row || row.expires_at < Date.now()) return undefined
  return { userId: row.user_id, token: issueRefresh(row.user_id) }
})

const toUser = ({ id, email, username, is_active, created_at }: UserRow) => ({
  id,
  email,
  username,
  is_active: is_active === 1,
  created_at,
})

const app = new Elysia()
  .use(jwt({ name: 'jwt', secret: 'only-for-the-bench-0c9e', exp: '30m' }))
  .post(
    '/register',
    async ({ body, status }) => {
      const hash = await Bun.password.hash(body.password, { algorithm: 'bcrypt', cost: 10 })
      try {
        return status(201, toUser(insertUser.get(body.email, body.username, hash, new Date().toISOString())!))
      } catch {
        return status(409, { detail: 'Email or username already registered' })
      }
    },
    { body: t.Object({ email: t.String({ format: 'email' }), username: t.String(), password: t.String() }) },
  )
  .post(
    '/token',
    async ({ body, jwt, status }) => {
      const user = findLogin.get(body.username, body.username)
      if (!user || !(await Bun.password.verify(body.password, user.password_hash)))
        return status(401, { detail: 'Incorrect username or password' })
      const token = await jwt.sign({ sub: String(user.id) })
      return { access_token: token, token_type: 'bearer', expires_in: 1800, refresh_token: issueRefresh(user.id) }
    },
    { body: t.Object({ username: t.String(), password: t.String() }) },
  )
  .post(
    '/token/refresh',
    async ({ body, jwt, status }) => {
      const rotated = rotate.immediate(body.refresh_token)
      if (!rotated) return status(401, { detail: 'Invalid refresh token' })
      const token = await jwt.sign({ sub: String(rotated.userId) })
      return { access_token: token, token_type: 'bearer', expires_in: 1800, refresh_token: rotated.token }
    },
    { body: t.Object({ refresh_token: t.String() }) },
  )
  .get('/users/me', async ({ headers, jwt, status }) => {
    const claims = await jwt.verify(headers.authorization?.replace('Bearer ', ''))
    const user = claims ? findUser.get(Number(claims.sub)) : undefined
    if (user?.is_active !== 1) return status(401, { detail: 'Could not validate credentials' })
    return toUser(user)
  })

app.listen({ hostname: '127.0.0.1', port: Number(process.env.PORT) })
