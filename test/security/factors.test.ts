import { expect, test } from 'bun:test'
import { describeApp } from '../support/hooks.ts'

describeApp('what nobody learns about the factors of others', {}, (app) => {
  /** An answer without what differs from request to request. */
  const answerOf = async (path: string, init: { form: Record<string, string> } | { json: object }) => {
    const response = await app.request('POST', path, init)
    return { status: response.status, headers: [...response.headers.keys()].sort(), body: await response.text() }
  }

  test('C3: a second factor, and whether it is locked, is said only after the right password', async () => {
    const [plain, fay, locked, keyed] = [
      await app.signUp('plain'),
      await app.signUp('fay'),
      await app.signUp('locked'),
      await app.signUp('keyed'),
    ]
    const phone = await app.factors.addApp(fay.id)
    await app.factors.addApp(locked.id)
    await app.rows.factorAccounts.add({ userId: locked.id, failedInRow: 100, lockedAt: app.clock.now() })
    await app.factors.addPasskey(keyed.id)
    const wrong = (username: string, more = {}) =>
      answerOf('/token', { form: { username, password: 'a wrong password', ...more } })
    const usual = await wrong('nobody')
    expect(usual.status).toBe(401)
    for (const { username } of [plain, fay, locked, keyed]) expect(await wrong(username)).toEqual(usual)
    // Neither is a code looked at before: this one is right, and stays good.
    const otp = phone.code()
    for (const code of [otp, '000000']) expect(await wrong(fay.username, { otp: code })).toEqual(usual)
    const { username, password } = fay
    expect((await answerOf('/token', { form: { username, password, otp } })).status).toBe(200)
  })

  test('C7: the options to log in with a passkey are the same for everybody, and write nothing', async () => {
    const fay = await app.signUp('fay')
    await app.factors.addPasskey(fay.id)
    const before = await app.rows.factorChallenges.count()
    const [anonymous, named, unknown] = await Promise.all(
      [{}, { username: 'fay' }, { username: 'nobody' }].map((json) => answerOf('/passkeys/options', { json })),
    )
    expect(anonymous!.status).toBe(200)
    for (const other of [named, unknown]) {
      expect([other!.status, other!.headers]).toEqual([anonymous!.status, anonymous!.headers])
      expect(withoutChallenge(other!.body)).toEqual(withoutChallenge(anonymous!.body))
    }
    expect(anonymous!.body).not.toContain('allowCredentials":[{')
    expect(await app.rows.factorChallenges.count()).toBe(before)
  })
})

function withoutChallenge(body: string): object {
  const { options, ...rest } = JSON.parse(body) as { options: Record<string, unknown> }
  expect(options.challenge).toBeString()
  return { ...rest, options: { ...options, challenge: '' } }
}
