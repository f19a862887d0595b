import { Database } from 'bun:sqlite'
import { countRaw, readPlan } from './raw.ts'

/* Only bun:sqlite, with one changed row per commit: the speed of a server that commits for each request. */

const plan = await readPlan<{ path: string; synchronous: 'FULL' | 'NORMAL' }>()
const db = new Database(plan.path, { create: true })
db.run('PRAGMA journal_mode = WAL')
db.run(`PRAGMA synchronous = ${plan.synchronous}`)
db.run('CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, generation INTEGER NOT NULL, refreshed_at INTEGER)')
const ids = Array.from({ length: 16 }, (_, index) => `session-${index}`)
for (const id of ids) db.run('INSERT OR IGNORE INTO sessions (id, generation) VALUES (?, 0)', [id])
const rotate = db.query('UPDATE sessions SET generation = generation + 1, refreshed_at = ? WHERE id = ?')

let next = 0
await countRaw(plan, () => rotate.run(Date.now(), ids[next++ % ids.length]!))
