import { expect, test } from 'bun:test'
import { describeEachDialect, sqliteFile } from './dialects.ts'

const connect = (url: string) =>
  url.startsWith('sqlite:') ? new Bun.SQL(sqliteFile(url), { adapter: 'sqlite' }) : new Bun.SQL(url, { max: 1 })

async function query(url: string, statement: string): Promise<unknown[]> {
  const sql = connect(url)
  try {
    return [...(await sql.unsafe(statement))]
  } finally {
    await sql.close()
  }
}

describeEachDialect('databaseUrl', (dialect) => {
  test('is empty and different each time', async () => {
    const one = await dialect.databaseUrl()
    const other = await dialect.databaseUrl()
    await query(one.url, 'CREATE TABLE thing (id integer)')
    await expect(query(other.url, 'SELECT id FROM thing')).rejects.toThrow(/thing/)
    await one.dispose()
    await other.dispose()
  })

  test('copies a template without changing it', async () => {
    const template = await dialect.databaseUrl()
    await query(template.url, 'CREATE TABLE thing (id integer)')
    await query(template.url, 'INSERT INTO thing VALUES (7)')
    const copy = await dialect.databaseUrl({ template: template.url })
    await query(copy.url, 'UPDATE thing SET id = 8')
    expect(await query(copy.url, 'SELECT id FROM thing')).toEqual([{ id: 8 }])
    expect(await query(template.url, 'SELECT id FROM thing')).toEqual([{ id: 7 }])
  })

  test('is deleted when disposed', async () => {
    const { url, dispose } = await dialect.databaseUrl()
    await query(url, 'CREATE TABLE thing (id integer)')
    await dispose()
    await expect(query(url, 'SELECT id FROM thing')).rejects.toThrow()
  })
})
