import { expect, test } from 'bun:test'
import { openUrl } from '../storage/support.ts'
import { describeApp } from '../support/hooks.ts'

describeApp('an error of the database', {}, (app, dialect) => {
  const change = async (statement: string) => {
    const storage = await openUrl(app.databaseUrl)
    await storage.rows(statement)
    await storage.close()
  }
  const messages = () =>
    app.logs
      .filter((line) => line.includes('"unhandled_error"'))
      .map((line) => (JSON.parse(line) as { error_message?: string }).error_message)

  test('12.D2 is logged with its message, which names the table', async () => {
    const { username, password } = await app.signUp()
    await change('ALTER TABLE users RENAME TO moved')
    expect((await app.request('POST', '/token', { form: { username, password } })).status).toBe(500)
    expect(messages()).toEqual([expect.stringMatching(/^(relation "users" does not exist|no such table: users)/)])
  })

  test('12.D2 is logged without the values that were sent', async () => {
    await app.signUp('first')
    await change(
      dialect.name === 'sqlite'
        ? 'CREATE UNIQUE INDEX one ON users (is_active)'
        : 'ALTER TABLE users ALTER COLUMN email TYPE bigint USING id',
    )
    const json = { username: 'hunter2', email: 'hunter2@example.com', password: 'correct horse battery' }
    expect((await app.request('POST', '/register', { json })).status).toBeGreaterThan(400)
    expect(app.logs.join('')).not.toContain('hunter2')
    if (dialect.name === 'postgresql') expect(messages()).toEqual(['invalid input syntax for type bigint: …'])
  })
})
