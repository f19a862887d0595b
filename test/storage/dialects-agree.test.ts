import { expect, setDefaultTimeout, test } from 'bun:test'
import { dialects } from '../support/dialects.ts'
import { schemaOf } from './schema.ts'
import { openMigrated } from './support.ts'

setDefaultTimeout(60_000)

test('T11: both databases get the same tables, columns, keys, indexes and references', async () => {
  const schemas = []
  for (const dialect of dialects) {
    const database = await dialect.databaseUrl()
    const storage = await openMigrated(database.url)
    schemas.push(await schemaOf(storage))
    await storage.close()
    await database.dispose()
  }
  expect(schemas[0]!.columns).toContain('users.email_verified_at number?')
  expect(schemas[0]!.unique).toContain('users (email_key)')
  expect(schemas[0]!.foreignKeys).toContain('sessions.user_id -> users.id CASCADE')
  for (const other of schemas.slice(1)) expect(other).toEqual(schemas[0]!)
})
