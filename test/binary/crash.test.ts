import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { openUrl } from '../storage/support.ts'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'

describeEachDialect('kill -9 between commit and answer', (dialect) => {
  test('T2: a client that retries its refresh token stays logged in', async () => {
    const { url: databaseUrl, dispose } = await dialect.databaseUrl()
    const password = 'correct horse battery'
    try {
      const before = await startBinary({ databaseUrl })
      const json = { email: 'ada@example.com', username: 'ada', password }
      expect((await before.request('POST', '/register', { json })).status).toBe(201)
      const login = await before.request('POST', '/token', { form: { username: 'ada', password } })
      const { refresh_token } = (await login.json()) as { refresh_token: string }
      const unheard = await sendWithoutReading(before, '/token/refresh', JSON.stringify({ refresh_token }))
      while ((await generations(databaseUrl))[0] === 0) await Bun.sleep(2)
      await before.stop()
      unheard.destroy()

      const after = await startBinary({ databaseUrl })
      try {
        const retry = await after.request('POST', '/token/refresh', { json: { refresh_token } })
        expect(retry.status).toBe(200)
        const next = (await retry.json()) as Record<string, string>
        expect((await after.request('GET', '/users/me', { token: next.access_token! })).status).toBe(200)
        const onwards = await after.request('POST', '/token/refresh', { json: { refresh_token: next.refresh_token } })
        expect(onwards.status).toBe(200)
        expect(await generations(databaseUrl)).toEqual([2])
      } finally {
        await after.stop()
      }
    } finally {
      await dispose()
    }
  })
})

async function generations(databaseUrl: string): Promise<number[]> {
  const { rows, close } = await openUrl(databaseUrl, { inspect: true })
  try {
    return (await rows('SELECT generation FROM sessions')).map(([generation]) => Number(generation))
  } finally {
    await close()
  }
}

/** Sends a request whose answer nobody reads. */
async function sendWithoutReading({ url }: RunningBinary, path: string, body: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  socket
    .pause()
    .write(
      `POST ${path} HTTP/1.1\r\nHost: keyward\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  return socket
}
