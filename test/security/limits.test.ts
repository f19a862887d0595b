import { beforeEach, expect, test } from 'bun:test'
import { madePasskey } from '../enrollment/support.ts'
import { waitingLogin } from '../factors/support.ts'
import type { RequestOptions, SignedUp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'

describeEachDialect('limits', (dialect) => {
  const app = appPerTest({
    dialect,
    env: { RATE_LIMIT: 'on', EMAIL_LOGIN: 'on', LIMITS: 'code.account=3/1d' },
    mailbox: true,
  })
  let ada: SignedUp
  beforeEach(async () => {
    ada = await app.signUp()
  })

  const count = (answers: readonly Response[], status: number) => answers.filter((one) => one.status === status).length

  test('D8: every route where a secret can be guessed, or an account created, has a limit', async () => {
    const { access_token: token } = ada.grant
    const challengeOf = async (path: string) => {
      const answer = await app.request('POST', path, { json: { email: 'nobody@example.com' }, peer: '203.0.113.200' })
      return ((await answer.json()) as { challenge_id: string }).challenge_id
    }
    const toVerify = await challengeOf('/email/verification')
    const toLogIn = await challengeOf('/login/email')
    await app.process.deliverMail()
    const bea = await app.signUp('bea')
    await app.factors.addApp(bea.id)
    const waiting = [await waitingLogin(app, bea), await waitingLogin(app, bea)]
    const doors: Record<string, (at: number) => RequestOptions> = {
      'POST /token/mfa': (at) => ({ json: { mfa_token: waiting[at < 4 ? 0 : 1], otp: 'wrong' } }),
      'POST /token': () => ({ form: { username: 'ada', password: 'wrong' } }),
      'POST /user/token': () => ({ form: { username: 'ada', password: 'wrong' } }),
      'PUT /users/me/password': () => ({ token, json: { current_password: 'wrong', new_password: 'a long new one' } }),
      'POST /password/forgot': () => ({ json: { email: 'ada@example.com' } }),
      'POST /email/verification': () => ({ json: { email: 'ada@example.com' } }),
      'POST /email/verify': () => ({ json: { challenge_id: toVerify, code: 'wrong!', password: 'wrong' } }),
      'POST /login/email': () => ({ json: { email: 'ada@example.com' } }),
      'POST /login/email/verify': () => ({ json: { challenge_id: toLogIn, code: 'wrong!' } }),
      'POST /token/step-up': () => ({ token, json: { otp: 'wrong' } }),
      'DELETE /users/me': () => ({ token, json: { password: 'wrong' } }),
      'POST /users/me/export': () => ({ token, json: { password: 'wrong' } }),
      'DELETE /users/me/identities/:id': () => ({ token, json: { password: 'wrong' } }),
      'POST /users/me/delete': () => ({ token, json: { password: 'wrong' } }),
      'POST /users/me/factors/totp': () => ({ token, json: { password: 'wrong' } }),
      'POST /users/me/factors/totp/:id/confirm': () => ({ token, json: { password: 'wrong', code: '000000' } }),
      'POST /users/me/factors/webauthn/options': () => ({ token, json: { password: 'wrong', kind: 'passkey' } }),
      'POST /users/me/factors/webauthn': () => ({ token, json: { password: 'wrong', ...madePasskey } }),
      'DELETE /users/me/factors/:id': () => ({ token, json: { password: 'wrong' } }),
      'POST /users/me/recovery-codes': () => ({ token, json: { password: 'wrong' } }),
      'POST /register': (at) => ({
        json: { email: `a${at}@example.com`, username: `name-${at}`, password: 'correct horse battery' },
      }),
    }
    /** Routes whose secrets have at least 192 bits, or that need none. */
    const without = [
      'POST /passkeys/options',
      // They need a login that waits. Their limits are in test/limits/routes.test.ts.
      'POST /token/enroll',
      'POST /token/enroll/totp',
      'POST /token/enroll/confirm',
      // Nobody guesses a signature. Its limit `passkey.prefix` is in test/limits/routes.test.ts.
      'POST /token/passkey',
      'POST /token/refresh',
      'POST /revoke',
      'POST /introspect',
      'POST /password/reset',
      'POST /email/change/confirm',
      'POST /email/undo',
      'POST /invitation/accept',
      'POST /logout',
      'PATCH /users/me',
      'PATCH /users/me/factors/:id',
      'DELETE /users/me/sessions',
      'DELETE /users/me/sessions/:id',
      'DELETE /users/me/trusted-devices',
      'DELETE /users/me/trusted-devices/:id',
      // Their limit `account.write` is in test/limits/routes.test.ts.
      'POST /admin/users',
      'POST /admin/users/:id/invitation',
      'DELETE /users/me/consents/:id',
      'POST /device_authorization',
      'POST /userinfo',
      'PATCH /admin/users/:id',
      'DELETE /admin/users/:id',
      'DELETE /admin/users/:id/sessions',
      'POST /admin/users/:id/password-reset',
      'POST /admin/users/:id/factor-recovery',
      'DELETE /admin/users/:id/factors',
      'DELETE /admin/users/:id/factors/:fid',
      // Its token has 256 random bits. Wrong passwords beside a right one count as logins: test/limits/routes.test.ts.
      'POST /factor-recovery/finish',
      'PUT /admin/users/:id/roles/:role',
      'DELETE /admin/users/:id/roles/:role',
      'POST /admin/roles',
      'PATCH /admin/roles/:name',
      'DELETE /admin/roles/:name',
      'POST /admin/providers',
      'PATCH /admin/providers/:name',
      'POST /admin/providers/:name/test',
      'DELETE /admin/providers/:name',
      'POST /admin/api-keys',
      'DELETE /admin/api-keys/:id',
      'POST /admin/clients',
      'PATCH /admin/clients/:id',
      'DELETE /admin/clients/:id',
      'POST /admin/clients/:id/secrets',
      'DELETE /admin/clients/:id/secrets/:sid',
      'POST /admin/keys/rotate',
      'POST /admin/keys/:kid/revoke',
      'POST /admin/mail/:id/resend',
    ]
    const writing = app.table.routes
      .filter(({ method, page }) => method !== 'GET' && !page)
      .map((one) => `${one.method} ${one.pattern}`)
    expect(writing.sort()).toEqual([...Object.keys(doors), ...without].sort())
    for (const [at, [door, options]] of Object.entries(doors).entries()) {
      const [method, path] = door.split(' ') as [string, string]
      const answers: Response[] = []
      const peer = `203.0.113.${at}`
      for (let n = 0; n < 60; n++) answers.push(await app.request(method, path, { ...options(n), peer }))
      expect([door, count(answers, 429) > 0]).toEqual([door, true])
    }
  })
})
