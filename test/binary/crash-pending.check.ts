import { expect, setDefaultTimeout, test } from 'bun:test'
import { openUrl } from '../storage/support.ts'
import { startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { isCut } from '../support/honest-client.ts'
import { startSmtp } from '../support/smtp.ts'
import { tokenIn } from '../verification/support.ts'

const ROUNDS = 3
const CLIENTS = 4

describeEachDialect('kill -9 while registrations wait for their proof', (dialect) => {
  setDefaultTimeout(90_000)

  test('13.6 every registration that was answered gets its mail later, and its proof creates the account', async () => {
    const { url: databaseUrl, dispose } = await dialect.databaseUrl()
    let isDown = true
    const sink = await startSmtp({ at: () => (isDown ? 'drop' : undefined) })
    const smtp = { SMTP_URL: `smtp://127.0.0.1:${sink.port}?tls=none`, MAIL_FROM: 'no-reply@example.com' }
    const env = { ...smtp, REQUIRE_EMAIL_VERIFICATION: 'true' }
    const answered = new Map<string, string>()
    const passwordOf = (username: string) => `${username} secret`
    let accounts = 0
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        const keyward = await startBinary({ databaseUrl, env })
        const last = round * 9
        const registerUntilKilled = async () => {
          try {
            for (;;) {
              const username = `user${++accounts}`
              const email = `${username}@example.com`
              const json = { email, username, password: passwordOf(username) }
              const answer = await keyward.request('POST', '/register', { json })
              expect(answer.status).toBe(202)
              answered.set(email, username)
              if (answered.size === last) keyward.signal('SIGKILL')
            }
          } catch (error) {
            if (!isCut(error)) throw error
          }
        }
        try {
          await Promise.all(Array.from({ length: CLIENTS }, registerUntilKilled))
          expect(await keyward.exited).toBe(128 + 9)
        } finally {
          await keyward.stop()
        }
      }
      isDown = false
      // The lease of the killed process, and the pause after its failed attempts, are not waited for.
      const { rows, close } = await openUrl(databaseUrl, { poolSize: 1 })
      // Registrations that a kill interrupted are there with their mail or not at all.
      for (const [one, other] of [
        ['mails', 'pending_registrations'],
        ['pending_registrations', 'mails'],
      ])
        expect([one, await rows(`SELECT id FROM ${one} WHERE id NOT IN (SELECT id FROM ${other})`)]).toEqual([one, []])
      await rows(`UPDATE mails SET due_at = 0 WHERE state = 'queued'`)
      const keyward = await startBinary({ databaseUrl, env })
      try {
        while (Number((await rows(`SELECT count(*) FROM mails WHERE state = 'queued'`))[0]?.[0]) > 0)
          await Bun.sleep(20)
        expect(answered.size).toBeGreaterThanOrEqual(ROUNDS * 9)
        for (const [email, username] of answered) {
          const mails = sink.received.filter(({ to }) => to.includes(email))
          expect([email, mails.length]).toEqual([email, 1])
          const json = { token: tokenIn(mails[0]!), password: passwordOf(username) }
          const done = await keyward.request('POST', '/email/verify', { json })
          expect([email, done.status]).toEqual([email, 200])
        }
      } finally {
        await keyward.stop()
        await close()
      }
    } finally {
      await sink.close()
      await dispose()
    }
  })
})
