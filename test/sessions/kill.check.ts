import { expect, test } from 'bun:test'
import { createTestApp } from '../support/app.ts'
import { startBinary } from '../support/binary.ts'
import { manualClock } from '../support/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { generationOf, type Pair, turns } from './support.ts'

const ROUNDS = 3

describeEachDialect('kill -9 between the commit of a refresh and its answer', (dialect) => {
  test('T2: the same token gives its successor after the restart', async () => {
    const database = await dialect.databaseUrl()
    const watcher = await createTestApp({ dialect, databaseUrl: database.url, clock: manualClock(Date.now()) })
    const { grant } = await watcher.signUp()
    const sid = Buffer.from(grant.refresh_token!.slice(4), 'base64url').subarray(1, 17).toString('base64url')
    const generation = async () => (await watcher.rows.sessions.one({ id: sid })).generation
    let token = grant.refresh_token!
    for (let round = 0; round < ROUNDS; round++) {
      const doomed = await startBinary({ databaseUrl: database.url })
      let refused = 0
      const answer = doomed.request('POST', '/token/refresh', { json: { refresh_token: token } }).then(
        ({ status }) => {
          if (status !== 200) refused = status
        },
        () => {},
      )
      // Another process sees the commit; the client does not read the answer.
      while ((await generation()) === generationOf(token)) {
        expect(refused).toBe(0)
        await turns(1)
      }
      doomed.signal('SIGKILL')
      await doomed.exited
      await answer
      const next = await startBinary({ databaseUrl: database.url })
      const retry = await next.request('POST', '/token/refresh', { json: { refresh_token: token } })
      expect(retry.status).toBe(200)
      const pair = (await retry.json()) as Pair
      expect(generationOf(pair.refresh_token)).toBe(generationOf(token) + 1)
      expect((await next.request('GET', '/users/me', { token: pair.access_token })).status).toBe(200)
      expect(await generation()).toBe(generationOf(pair.refresh_token))
      token = pair.refresh_token
      await next.stop()
    }
    await watcher.close()
    await database.dispose()
  }, 60_000)
})
