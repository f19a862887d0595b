import { expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { readDocument } from '../fuzz/document.ts'
import { createTestApp } from '../support/app.ts'
import { watchStatements } from '../support/replace.ts'

const metricsToken = 'a-token-for-the-metrics'

test('a GET documents database_unavailable if and only if it reads the database', async () => {
  let isAway = false
  const store = watchStatements(() => {
    if (isAway) throw new KeywardError('database_unavailable')
  })
  const app = await createTestApp({ env: { METRICS_TOKEN: metricsToken }, replace: { store } })
  const { grant } = await app.signUp()
  const { operations } = readDocument(await (await app.request('GET', '/openapi.json')).text())
  isAway = true
  const asked: string[] = []
  for (const { method, path, answers } of operations) {
    if (method !== 'GET') continue
    const token = path === '/metrics' ? metricsToken : grant.access_token
    const query =
      path === '/authorize'
        ? '?client_id=kwa_22222222222222222222'
        : path === '/end-session'
          ? `?client_id=kwa_22222222222222222222`
          : ''
    const answer = await app.request(method, path.replace(/\{\w+\}/g, 'x') + query, {
      token,
      headers: { accept: 'application/json' },
    })
    const asks = answer.status === 503 && (await answer.text()).includes('"code":"database_unavailable"')
    const told = [...answers.values()].flatMap(({ codes }) => codes).filter((code) => code.startsWith('database_'))
    expect([path, ...told]).toEqual([path, ...(asks ? ['database_busy', 'database_unavailable'] : [])])
    if (asks) asked.push(path)
  }
  expect(asked).toContain('/users/me')
  expect(asked).not.toContain('/readyz')
  await app.close()
})
