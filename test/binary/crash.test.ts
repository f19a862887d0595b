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

describeEachDialect('two processes that start at once on one empty database', (dialect) => {
  test('both serve, and a token of one is good at the other', async () => {
    for (let round = 0; round < 3; round++) {
      const { url: databaseUrl, dispose } = await dialect.databaseUrl()
      const started = await Promise.allSettled([startBinary({ databaseUrl }), startBinary({ databaseUrl })])
      const [one, other] = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      try {
        expect(started.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))).toEqual([])
        const both = [one!, other!] as const
        // Exactly one of two who want the same name at the same time, at different processes.
        const race = await Promise.all(both.map((keyward) => register(keyward, 'ada')))
        expect(race.map(({ status }) => status).sort()).toEqual([201, 409])
        for (const [issuer, verifier] of [both, [both[1], both[0]]] as const) {
          const me = await verifier.request('GET', '/users/me', { token: await logIn(issuer, 'ada') })
          expect(me.status).toBe(200)
        }
      } finally {
        await one?.stop()
        await other?.stop()
        await dispose()
      }
    }
  })
})
