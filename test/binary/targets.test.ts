import { expect, setDefaultTimeout, test } from 'bun:test'
import { startBinary } from '../support/binary.ts'
import { rawTo } from '../support/socket.ts'

setDefaultTimeout(60_000)

test('12.A5, 12.B2, 12.B4: the executable reads targets as they were sent, also while it stops', async () => {
  const keyward = await startBinary({ env: { SHUTDOWN_DELAY_SECONDS: '300' } })
  try {
    const port = Number(new URL(keyward.url).port)
    const statuses = async () => {
      const seen: [string, number][] = []
      for (const [method, target] of [
        ['GET', '/livez'],
        ['GET', '/docs/../livez'],
        ['GET', '/x\\..\\livez'],
        ['GET', '/docs/%2e%2e/livez'],
        ['POST', '/token/'],
        ['DELETE', '/forward-auth/../livez'],
        ['OPTIONS', '/forward-auth'],
      ]) {
        const request = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
        seen.push([target!, (await rawTo(port, request)).status])
      }
      return Object.fromEntries(seen)
    }
    const expected = {
      '/livez': 200,
      '/docs/../livez': 404,
      '/x\\..\\livez': 404,
      '/docs/%2e%2e/livez': 404,
      '/token/': 307,
      '/forward-auth/../livez': 401,
      '/forward-auth': 401,
    }
    expect(await statuses()).toEqual(expected)
    keyward.signal('SIGTERM')
    await keyward.says(/"stopping"/)
    expect(await statuses()).toEqual(expected)
    keyward.signal('SIGINT')
    await keyward.exited
  } finally {
    await keyward.stop()
  }
})
