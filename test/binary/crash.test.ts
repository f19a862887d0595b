import { expect, setDefaultTimeout, test } from 'bun:test'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'

setDefaultTimeout(120_000)

const password = 'correct horse battery'

const register = (keyward: RunningBinary, username: string) =>
  keyward.request('POST', '/register', { json: { email: `${username}@example.com`, username, password } })

const logIn = async (keyward: RunningBinary, username: string): Promise<string> => {
  const response = await keyward.request('POST', '/token', { form: { username, password } })
  expect([username, response.status]).toEqual([username, 200])
  return ((await response.json()) as { access_token: string }).access_token
}

describeEachDialect('kill -9 in the middle of registrations', (dialect) => {
  test('loses none that was answered', async () => {
    const { url: databaseUrl, dispose } = await dialect.databaseUrl()
    const answered: { username: string; id: number }[] = []
    let cut = 0
    try {
      for (let round = 0; round < 4; round++) {
        const keyward = await startBinary({ databaseUrl })
        const killAfter = answered.length + 5 + 7 * round
        const attempts = Array.from({ length: 48 }, async (_, index) => {
          const username = `user-${round}-${index}`
          try {
            const response = await register(keyward, username)
            expect(response.status).toBe(201)
            answered.push({ username, id: ((await response.json()) as { id: number }).id })
          } catch (error) {
            // The connection went with the server; what else goes wrong must be seen.
            if (
              !/^(ECONN|ConnectionClosed|ConnectionRefused|ERR_SOCKET|ERR_HTTP2)/i.test(
                String((error as { code?: string }).code),
              )
            )
              throw error
            cut++
          }
          if (answered.length === killAfter) keyward.signal('SIGKILL')
        })
        await Promise.all(attempts)
        await keyward.stop()
      }
      // Had each round ended before the kill, nothing would have been tested.
      expect(cut).toBeGreaterThan(0)
      expect(new Set(answered.map(({ id }) => id)).size).toBe(answered.length)

      const keyward = await startBinary({ databaseUrl })
      try {
        for (const { username, id } of answered) {
          const me = await keyward.request('GET', '/users/me', { token: await logIn(keyward, username) })
          expect(await me.json()).toMatchObject({ username, id })
        }
      } finally {
        await keyward.stop()
      }
    } finally {
      await dispose()
    }
  })
})

describeEachDialect('processes that start at once on one empty database', (dialect) => {
  test('all serve, and a token of one is good at the others', async () => {
    for (let round = 0; round < 4; round++) {
      const { url: databaseUrl, dispose } = await dialect.databaseUrl()
      const starts = await Promise.allSettled([1, 2, 3].map(() => startBinary({ databaseUrl })))
      const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
      try {
        expect(starts.flatMap((start) => (start.status === 'rejected' ? [String(start.reason)] : []))).toEqual([])
        // Exactly one of those who want the same name at the same time, each at another process.
        const race = await Promise.all(started.map((keyward) => register(keyward, 'ada')))
        expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409])
        for (const issuer of started) {
          const token = await logIn(issuer, 'ada')
          const answers = await Promise.all(started.map((other) => other.request('GET', '/users/me', { token })))
          expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
        }
      } finally {
        await Promise.all(started.map((keyward) => keyward.stop()))
        await dispose()
      }
    }
  })
})
