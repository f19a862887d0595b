import { expect, test } from 'bun:test'
import { createTestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'

describeEachDialect('registration', (dialect) => {
  test('answers the account and where it is', async () => {
    const app = await createTestApp({ dialect })
    const response = await app.request('POST', '/register', {
      json: { email: 'User@Example.com', username: 'User123', password: 'secure_password' },
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe('/users/me')
    expect(await response.json()).toEqual({
      id: 1,
      email: 'User@example.com',
      username: 'User123',
      is_active: true,
      email_verified: false,
      roles: ['user'],
      created_at: '2026-01-01T00:00:00.000Z',
    })
    await app.close()
  })

  test('lets exactly one of many win a name at once', async () => {
    const app = await createTestApp({ dialect, env: { RATE_LIMIT: 'off' } })
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        app.request('POST', '/register', {
          json: { email: `ada${i}@example.com`, username: i % 2 ? 'Ada' : 'aDA', password: 'correct horse battery' },
        }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, ...Array(23).fill(409)])
    await app.close()
  })
})
