import { expect, setDefaultTimeout, test } from 'bun:test'
import { migrated } from '../support/cli.ts'
import { dialects } from '../support/dialects.ts'
import { createDatabase } from '../support/postgres.ts'
import { bcryptHash, importFrom, oldService, sqlmodelTable } from './old-service.ts'

setDefaultTimeout(60_000)

const ACCOUNTS = 3_000

test('12.C4 importing again into PostgreSQL looks each account up by its keys, and scans no table for each part', async () => {
  const hash = await bcryptHash('correct horse battery')
  const old = await oldService(dialects[0]!, sqlmodelTable)
  await old.execute(
    `WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ${ACCOUNTS})
    INSERT INTO users (id, username, email, hash_password)
    SELECT id, 'user' || id, 'user' || id || '@example.com', '${hash}' FROM n`,
  )
  const databaseUrl = await migrated((await createDatabase()).url)
  const sql = new Bun.SQL(databaseUrl, { max: 1 })
  /** How many rows of `users` all scans have read. A connection reports its numbers before it is gone. */
  const scanned = async (): Promise<number> => {
    for (;;) {
      const others = await sql.unsafe(
        'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      if (others.length === 0) break
    }
    const [{ seq_tup_read }] = await sql.unsafe("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'users'")
    return Number(seq_tup_read)
  }
  const run = () => importFrom(old.url, databaseUrl)
  expect((await run()).out).toContain('Imported 3,000 accounts')
  const before = await scanned()
  expect((await run()).out).toContain('3,000 already in Keyward')
  expect((await scanned()) - before).toBeLessThan(ACCOUNTS)
  await sql.close()
})
