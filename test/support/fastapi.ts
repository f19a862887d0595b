import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { PYTHON } from './programs.ts'
import { scratchFolder } from './scratch.ts'

export interface OldUser {
  id?: number
  username: string
  email: string
  password: string
}

/**
 * The path of an SQLite file of one of the two FastAPI services. They differ in the name of the column for the
 * password's hash, and in `is_active`, which the one with SQLModel does not have.
 */
export async function oldServiceDatabase(
  hashColumn: 'hashed_password' | 'hash_password',
  users: OldUser[],
): Promise<string> {
  const path = join(scratchFolder('old-service'), 'users.db')
  using db = new Database(path, { create: true })
  const isActive = hashColumn === 'hashed_password' ? ', is_active BOOLEAN DEFAULT 1' : ''
  db.run(
    `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR, username VARCHAR, ${hashColumn} VARCHAR${isActive})`,
  )
  for (const { id = null, email, username, password } of users) {
    const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
    db.run(`INSERT INTO users (id, email, username, ${hashColumn}) VALUES (?, ?, ?, ?)`, [id, email, username, hash])
  }
  return path
}

export interface FastapiServices {
  /** The one with `/register`, `/token` and `/users/me`. */
  first: string
  /** The one with `/user/token` and `/user/user`. */
  second: string
  /** Their databases, as their `DATABASE_URL`. */
  databases: { first: string; second: string }
  stop(): Promise<void>
}

/**
 * Starts both FastAPI services as one process of Debian's Python.
 * @param options.key with which they sign tokens
 * @param options.origins that their CORS middleware allows
 * @param options.users of the second service, which has no route to register
 */
export async function startFastapiServices(options: {
  key: string
  origins: string[]
  users: (OldUser & { id: number })[]
}): Promise<FastapiServices> {
  const folder = scratchFolder('fastapi-services')
  const databases = {
    first: `sqlite:///${join(folder, 'first.db')}`,
    second: `sqlite:///${join(folder, 'second.db')}`,
  }
  const child = Bun.spawn([PYTHON, join(import.meta.dir, 'fastapi_services.py')], {
    cwd: folder,
    // The services end when this pipe does, so also if the test process dies.
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  child.stdin.write(`${JSON.stringify({ ...options, ...databases })}\n`)
  child.stdin.flush()
  const { value } = await child.stdout.getReader().read()
  if (value === undefined) throw new Error(`the services did not start: ${await child.stderr.text()}`)
  const [first, second] = JSON.parse(new TextDecoder().decode(value)) as [string, string]
  return {
    first,
    second,
    databases,
    async stop() {
      child.stdin.end()
      await child.exited
    },
  }
}
