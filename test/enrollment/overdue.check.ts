import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { audit, decode, loggedIn } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { softAuthenticator } from '../support/authenticator.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { patch } from '../verification/support.ts'
import {
  begin,
  codeOf,
  confirm,
  enrol,
  enrolPasskey,
  listed,
  type Pending,
  passkeyOptions,
  sendPasskey,
} from './support.ts'

const origin = 'http://localhost:8000'
const env = { REQUIRE_SECOND_FACTOR: 'admins', EMAIL_LOGIN: 'on', PUBLIC_URL: origin }

const post = (app: TestApp, path: string, json: object) => app.request('POST', path, { json })
const administers = async (app: TestApp, token: string) =>
  (await app.request('GET', '/admin/users', { token })).status === 200

async function mailedCode(app: TestApp): Promise<string> {
  await app.process.deliverMail()
  const { mails } = await answered<{ mails: { text: string }[] }>(app.request('GET', '/dev/mailbox.json'))
  return mails.map(({ text }) => /^\s*(\d{6})$/m.exec(text)?.[1]).find((code) => code !== undefined)!
}

/** An administrator without a second factor, one minute before the end of the grace period. */
async function almostOverdue(app: TestApp): Promise<SignedUp> {
  const ada = await app.signUp()
  await app.admin.giveRole(ada.id, 'admin')
  await loggedIn(app, ada)
  await app.clock.advance(7 * DAY - MINUTE)
  return ada
}

describeApp('the first factor of an account whose rights are withheld', { env, mailbox: true }, (app) => {
  test('F46 needs more than the password or another service: begun, confirmed, or by another address', async () => {
    const ada = await almostOverdue(app)
    const { access_token: token } = await loggedIn(app, ada)
    const pending = await answered<Pending>(begin(app, token), 201)
    const ceremony = await passkeyOptions(app, token)
    const registration = {
      challenge_id: ceremony.challenge_id,
      credential: softAuthenticator({ origin }).create(ceremony.options),
    }
    await app.clock.advance(MINUTE)
    const { access_token: fed, sessionId } = await loggedIn(app, ada).then((pair) => ({
      ...pair,
      sessionId: decode(pair.access_token).payload.sid as string,
    }))
    await app.rows.sessions.change({ id: sessionId }, { amr: 'fed' })
    const json = { kind: 'passkey', password: ada.password }
    for (const refused of [
      await begin(app, token),
      await begin(app, token, { password: ada.password }),
      await begin(app, fed),
      await confirm(app, token, pending.id, { code: codeOf(app, pending.secret) }),
      await app.request('POST', '/users/me/factors/webauthn/options', { token, json }),
      await sendPasskey(app, token, registration),
      await patch(app, token, { email: 'thief@example.com', current_password: ada.password }),
    ]) {
      const problem = await expectRefusal(refused, 'mfa_enrollment_required')
      expect(problem).toMatchObject({ expires_in: 1200, methods: ['totp'] })
    }
    expect((await listed(app, token)).factors).toEqual([])
    expect(await administers(app, token)).toBe(false)
    expect(await audit(app, 'email.change_requested')).toEqual([])
    // Nothing else is withheld.
    expect((await patch(app, token, { name: 'Ada' })).status).toBe(200)

    // The token of the refusal adds an app, with the code of a mail.
    const { mfa_token } = await expectRefusal(await begin(app, token), 'mfa_enrollment_required')
    await expectRefusal(await post(app, '/token/enroll/totp', { mfa_token }), 'invalid_code')
    const { challenge_id } = await answered<{ challenge_id: string }>(post(app, '/token/enroll', { mfa_token }), 202)
    const mailed = { mfa_token, challenge_id, code: await mailedCode(app) }
    const made = await answered<Pending>(post(app, '/token/enroll/totp', mailed), 201)
    const otp = codeOf(app, made.secret)
    const strong = await answered<{ access_token: string }>(
      post(app, '/token/enroll/confirm', { mfa_token, id: made.id, otp }),
    )
    expect(decode(strong.access_token).payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], roles: ['admin', 'user'] })
    expect(await administers(app, strong.access_token)).toBe(true)
    await enrolPasskey(app, strong.access_token, softAuthenticator({ origin }))
  })

  test('is added in a session that began by mail', async () => {
    const ada = await almostOverdue(app)
    await app.clock.advance(MINUTE)
    const { challenge_id } = await answered<{ challenge_id: string }>(
      post(app, '/login/email', { email: ada.email }),
      202,
    )
    const shown = { challenge_id, code: await mailedCode(app) }
    const { access_token } = await answered<{ access_token: string }>(post(app, '/login/email/verify', shown))
    expect(decode(access_token).payload).toMatchObject({ amr: ['email'], roles: ['user'] })
    const { token } = await enrolPasskey(app, access_token, softAuthenticator({ origin }))
    expect(decode(token).payload.roles).toEqual(['admin', 'user'])
    expect(await administers(app, token)).toBe(true)
  })

  test('needs the password only within the grace period, and for users of whom no rule wants one', async () => {
    const grace = await app.signUp('grace')
    const ada = await almostOverdue(app)
    const phone = await enrol(app, (await loggedIn(app, ada)).access_token)
    expect(await administers(app, phone.token)).toBe(true)
    await app.clock.advance(MINUTE)
    await enrol(app, (await loggedIn(app, grace)).access_token)
  })
})

describeApp('the first factor of an account whose rights are withheld, without mail', { env }, (app) => {
  test('needs the password only, because nothing else can be asked', async () => {
    const ada = await almostOverdue(app)
    await app.clock.advance(MINUTE)
    const { token } = await enrol(app, (await loggedIn(app, ada)).access_token)
    expect(await administers(app, token)).toBe(true)
  })
})
