import { expect, test } from 'bun:test'
import { createTestApp } from '../support/app.ts'

test.each(['json', 'text'])('P4: no request can forge a line of the log as %s', async (format) => {
  const app = await createTestApp({ env: { LOG_FORMAT: format } })
  const forged = 'x\r\n{"time":"now","level":"info","event":"forged"}\u2028\u001b[2J'
  const inHeader = forged.replace(/[^\x20-\x7e]/g, '')
  app.logs.length = 0
  await app.request('GET', `/${encodeURIComponent(forged)}`)
  await app.request('GET', `/users/me?${encodeURIComponent(forged)}`, {
    headers: { 'x-request-id': inHeader, 'user-agent': inHeader },
  })
  const headers = { 'x-forwarded-for': inHeader }
  await app.request('POST', '/token', { form: { username: forged, password: forged }, headers })
  await app.request('POST', '/register', { json: { email: forged, username: forged, password: forged } })
  const text = app.logs.join('')
  expect(text).not.toContain('forged')
  expect(text).not.toContain('\u001b')
  // Four requests, and the warning that a proxy's header is ignored.
  expect(text.split('\n')).toHaveLength(5 + 1)
  await app.close()
})
