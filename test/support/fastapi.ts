import { Database } from 'bun:sqlite'
import { join } from 'node:path'
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
