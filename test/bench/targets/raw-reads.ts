import { countRaw, readPlan } from './raw.ts'

/* Bun.SQL alone, one user by id each time: what a server on PostgreSQL cannot be quicker than. */

const plan = await readPlan<{ url: string; poolSize: number; ids: number[] }>()
const sql = new Bun.SQL(plan.url, { max: plan.poolSize })

let next = 0
await countRaw(plan, async () => {
  const id = plan.ids[next++ % plan.ids.length]!
  const [user] = await sql`
    SELECT id, email, email_verified_at, username, is_active, session_epoch, created_at FROM users WHERE id = ${id}`
  if (!user) throw new Error(`no user ${id}`)
})
