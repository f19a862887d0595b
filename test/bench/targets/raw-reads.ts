import { countRaw, readPlan } from './raw.ts'

/* Only Bun.SQL, reading one user by id each time: no server on PostgreSQL can be faster. */

const plan = await readPlan<{ url: string; poolSize: number; ids: number[] }>()
const sql = new Bun.SQL(plan.url, { max: plan.poolSize })

let next = 0
await countRaw(plan, async () => {
  const id = plan.ids[next++ % plan.ids.length]!
  const [user] = await sql`
    SELECT id, email, email_verified_at, username, name, locale, is_active, session_epoch, created_at FROM users WHERE id = ${id}`
  if (!user) throw new Error(`no user ${id}`)
})
