import { expect, setDefaultTimeout, test } from 'bun:test'
import { startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'

describeEachDialect('D7: the executable', (dialect) => {
  setDefaultTimeout(60_000)

  test('keeps all counts after kill -9 and after a restart', async () => {
    const { url: databaseUrl, dispose } = await dialect.databaseUrl()
    const start = () =>
      startBinary({
        databaseUrl,
        env: { RATE_LIMIT: 'on', LIMITS: 'login.name_prefix=6/1d,login.account_prefix=12/1d' },
      })
    let keyward = await start()
    const attempt = async (password = 'wrong') =>
      (await keyward.request('POST', '/token', { form: { username: 'ada', password } })).status
    try {
      const json = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }
      expect((await keyward.request('POST', '/register', { json })).status).toBe(201)
      for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
        expect([await attempt(), await attempt()]).toEqual([401, 401])
        keyward.signal(signal)
        await keyward.exited
        keyward = await start()
      }
      const refused = await keyward.request('POST', '/token', { form: { username: 'ada', password: json.password } })
      expect(refused.status).toBe(429)
      expect(refused.headers.get('ratelimit-policy')).toBe('"login.name_prefix";q=6;w=86400')
    } finally {
      await keyward.stop()
      await dispose()
    }
  })
})
