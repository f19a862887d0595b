import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import { audit, decode, login, refresh } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, waitingLogin } from './support.ts'

interface Answer {
  access_token: string
  refresh_token: string
  second_factor_due?: string
}

async function logIn(app: TestApp, user: Pick<SignedUp, 'username' | 'password'>): Promise<Answer> {
  const response = await login(app, user)
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}

const rolesOf = (token: string) => decode(token).payload.roles as string[]
const ask = (app: TestApp, path: string, token: string) => app.request('GET', path, { token })

/** A refusal that asks for a second factor (RFC 9470). */
async function expectChallenge(response: Response): Promise<void> {
  await expectRefusal(response, 'reauthentication_required')
  expect(response.headers.get('www-authenticate')).toBe(
    'Bearer realm="keyward", error="insufficient_user_authentication", max_age="900", acr_values="aal2"',
  )
}

const mailsOf = async (app: TestApp, kind: string) => (await app.rows.mails.all()).filter((mail) => mail.kind === kind)

describeApp(
  'roles that require a second factor',
  { env: { REQUIRE_SECOND_FACTOR: 'admins' }, mailbox: true },
  (app) => {
    test('count for the grace days without one, then only in a session with one', async () => {
      const ada = await app.signUp()
      await app.admin.giveRole(ada.id, 'admin')
      const begun = app.clock.now()
      const first = await logIn(app, ada)
      expect(first.second_factor_due).toBe(new Date(begun + 7 * DAY).toISOString())
      expect(rolesOf(first.access_token)).toEqual(['admin', 'user'])
      expect((await ask(app, '/admin/users', first.access_token)).status).toBe(200)
      await app.clock.advance(DAY)
      // The first login has begun the grace period; a later one does not begin it again.
      expect((await logIn(app, ada)).second_factor_due).toBe(first.second_factor_due)
      expect(await mailsOf(app, 'second_factor_due')).toHaveLength(1)
      expect(await audit(app, 'second_factor.required')).toHaveLength(1)

      await app.clock.advance(6 * DAY - MINUTE)
      const last = await logIn(app, ada)
      expect(rolesOf(last.access_token)).toEqual(['admin', 'user'])
      await app.clock.advance(MINUTE)
      // The token that was made before says so still; Keyward itself decides anew.
      await expectChallenge(await ask(app, '/admin/users', last.access_token))
      await expectChallenge(await ask(app, '/forward-auth?role=admin', last.access_token))
      await expectChallenge(await ask(app, '/forward-auth?permission=users:read', last.access_token))
      await expectRefusal(await ask(app, '/forward-auth?role=other', last.access_token), 'forbidden')
      const forwarded = await ask(app, '/forward-auth', last.access_token)
      expect(forwarded.headers.get('x-auth-request-groups')).toBe('user')
      const self = await ask(app, '/users/me', last.access_token)
      expect([self.status, ((await self.json()) as { roles: string[] }).roles]).toEqual([200, ['user']])
      const changed = await app.request('PATCH', `/admin/users/${ada.id}`, {
        token: last.access_token,
        json: { is_active: false },
      })
      await expectChallenge(changed)
      const rotated = (await (await refresh(app, last.refresh_token)).json()) as Answer
      expect(rolesOf(rotated.access_token)).toEqual(['user'])

      const phone = await app.factors.addApp(ada.id)
      const answered = await answerLogin(app, { mfa_token: await waitingLogin(app, ada), otp: phone.code() })
      const strong = (await answered.json()) as Answer
      expect(strong.second_factor_due).toBeUndefined()
      expect(rolesOf(strong.access_token)).toEqual(['admin', 'user'])
      expect((await ask(app, '/admin/users', strong.access_token)).status).toBe(200)
      expect((await ask(app, '/forward-auth?role=admin', strong.access_token)).status).toBe(200)

      const key = { owner: ada.id, scopes: ['tokens:introspect'], expiresAt: null }
      const { text } = await app.admin.createApiKey(key)
      const introspect = async (token: string) =>
        (await (await app.request('POST', '/introspect', { form: { token }, token: text })).json()) as {
          roles?: string[]
        }
      // F42: a key lives on. What it reads counts at the level of the token.
      expect((await introspect(strong.access_token)).roles).toEqual(['admin', 'user'])
      expect((await introspect(rotated.access_token)).roles).toEqual(['user'])
      expect((await introspect(rotated.refresh_token)).roles).toEqual(['user'])
    })

    test('a refresh begins the grace period of a session from before the rule, once among many', async () => {
      const ada = await app.signUp()
      await app.rows.roles.add({
        name: 'editor',
        description: '',
        permissions: 'users:read',
        requiresSecondFactor: true,
        createdAt: 0,
      })
      await app.admin.giveRole(ada.id, 'editor')
      const rotated = (await (await refresh(app, ada.grant.refresh_token!)).json()) as Answer
      expect(rolesOf(rotated.access_token)).toEqual(['editor', 'user'])
      const [row] = await app.rows.factorAccounts.all()
      expect(row).toMatchObject({ userId: ada.id, dueAt: app.clock.now() + 7 * DAY })

      const grace = await app.signUp('grace')
      await app.admin.giveRole(grace.id, 'editor')
      const answers = await Promise.all(Array.from({ length: 24 }, () => logIn(app, grace)))
      expect(new Set(answers.map((one) => one.second_factor_due)).size).toBe(1)
      expect((await mailsOf(app, 'second_factor_due')).filter((mail) => mail.userId === grace.id)).toHaveLength(1)
      expect((await audit(app, 'second_factor.required')).filter((event) => event.userId === grace.id)).toHaveLength(1)
    })

    test('O5: who lacks the factor changes no other administrator', async () => {
      const [ada, grace] = [await app.signUp(), await app.signUp('grace')]
      for (const { id } of [ada, grace]) await app.admin.giveRole(id, 'admin')
      const session = await logIn(app, ada)
      await app.clock.advance(7 * DAY)
      const { access_token: token } = (await (await refresh(app, session.refresh_token)).json()) as Answer
      await expectChallenge(await app.request('DELETE', `/admin/users/${grace.id}/roles/admin`, { token }))
      await expectChallenge(await app.request('DELETE', `/admin/users/${grace.id}`, { token }))
    })
  },
)

const everybody = { env: { REQUIRE_SECOND_FACTOR: 'all', SECOND_FACTOR_GRACE_DAYS: '7' }, mailbox: true }

/** The newest code of a mail of this kind. */
async function mailedCode(app: TestApp): Promise<string> {
  await app.process.deliverMail()
  const { mails } = (await (await app.request('GET', '/dev/mailbox.json')).json()) as { mails: { text: string }[] }
  return mails.map(({ text }) => /^\s*(\d{6})$/m.exec(text)?.[1]).find((code) => code !== undefined)!
}

async function enrollmentOf(app: TestApp, user: SignedUp): Promise<string> {
  const problem = await expectRefusal(await login(app, user), 'mfa_enrollment_required')
  expect(problem).toMatchObject({ error: 'mfa_enrollment_required', expires_in: 1200, methods: ['totp'] })
  return problem.mfa_token!
}

const post = (app: TestApp, path: string, json: object) => app.request('POST', path, { json })

/** Shows the code of a mail, and begins to add an app. */
async function begin(app: TestApp, mfa_token: string): Promise<{ id: string; secret: string; code: string }> {
  const prepared = await post(app, '/token/enroll', { mfa_token })
  expect(prepared.status).toBe(202)
  const { challenge_id } = (await prepared.json()) as { challenge_id: string }
  const code = await mailedCode(app)
  const begun = await post(app, '/token/enroll/totp', { mfa_token, challenge_id, code, name: 'Phone' })
  expect(begun.status).toBe(201)
  return { ...((await begun.json()) as { id: string; secret: string }), code }
}

describeApp('a service that requires a second factor of everybody', everybody, (app) => {
  async function overdue(): Promise<SignedUp> {
    const ada = await app.signUp()
    expect(ada.grant.second_factor_due).toBe(new Date(app.clock.now() + 7 * DAY).toISOString())
    await app.clock.advance(7 * DAY)
    return ada
  }

  test('M4: after the grace days, a login adds one, with the code of a mail beside the password', async () => {
    const ada = await overdue()
    const mfa_token = await enrollmentOf(app, ada)
    // The token opens nothing else.
    await expectRefusal(await answerLogin(app, { mfa_token, otp: '000000' }), 'mfa_token_expired')
    await expectRefusal(await ask(app, '/users/me', mfa_token), 'invalid_token')
    await expectRefusal(await post(app, '/token/enroll/totp', { mfa_token }), 'invalid_code')
    await expectRefusal(
      await post(app, '/token/enroll/confirm', { mfa_token, id: 't1', otp: '000000' }),
      'factor_not_found',
    )
    const { id, secret } = await begin(app, mfa_token)
    // The code of the mail is needed once, and the app may be begun again.
    const again = await post(app, '/token/enroll/totp', { mfa_token })
    expect(again.status).toBe(201)
    const second = (await again.json()) as { id: string; secret: string }
    expect(second.secret).not.toBe(secret)
    await expectRefusal(await post(app, '/token/enroll/confirm', { mfa_token, id, otp: '000000' }), 'factor_not_found')
    await expectRefusal(
      await post(app, '/token/enroll/confirm', { mfa_token, id: second.id, otp: 'wrong' }),
      'invalid_code',
    )
    const otp = app.factors.codeOf(second.secret)
    const done = await post(app, '/token/enroll/confirm', { mfa_token, id: second.id, otp })
    expect(done.status).toBe(200)
    const answer = (await done.json()) as Answer & { recovery_codes: string[]; factor: { name: string } }
    expect(answer.recovery_codes).toHaveLength(10)
    expect(answer.factor.name).toBe('Authenticator app')
    expect(decode(answer.access_token).payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' })
    expect((await ask(app, '/users/me', answer.access_token)).status).toBe(200)
    // The sessions from before have ended, and the token is used up.
    await expectRefusal(await refresh(app, ada.grant.refresh_token!), 'invalid_refresh_token')
    await expectRefusal(await post(app, '/token/enroll', { mfa_token }), 'mfa_token_expired')
    expect(await mailsOf(app, 'factor_added')).toHaveLength(1)
    await waitingLogin(app, ada)
  })

  test('M2: of many confirmations at once, in two logins, one begins a session', async () => {
    const ada = await overdue()
    const tokens = [await enrollmentOf(app, ada), await enrollmentOf(app, ada)]
    // The second login has dropped the app of the first.
    const apps: { mfa_token: string; id: string; secret: string }[] = []
    for (const mfa_token of tokens) {
      apps.push({ mfa_token, ...(await begin(app, mfa_token)) })
      await app.clock.advance(61_000)
    }
    const otp = app.factors.codeOf(apps[1]!.secret)
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, at) =>
        post(app, '/token/enroll/confirm', { mfa_token: apps[at % 2]!.mfa_token, id: apps[at % 2]!.id, otp }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await app.rows.totpFactors.count()).toBe(1)
    // A login that waited before the factor was there has not shown it.
    await expectRefusal(await post(app, '/token/enroll', { mfa_token: apps[0]!.mfa_token }), 'mfa_token_expired')
  })

  test('a wrong code of the mail, another user and a new password change nothing', async () => {
    const ada = await overdue()
    const mfa_token = await enrollmentOf(app, ada)
    const prepared = (await (await post(app, '/token/enroll', { mfa_token })).json()) as { challenge_id: string }
    const code = await mailedCode(app)
    const other = code === '123456' ? '654321' : '123456'
    await expectRefusal(await post(app, '/token/enroll/totp', { mfa_token, ...prepared, code: other }), 'invalid_code')
    const grace = await app.signUp('grace')
    await app.clock.advance(7 * DAY)
    const hers = await enrollmentOf(app, grace)
    const later = (await (await post(app, '/token/enroll', { mfa_token: hers })).json()) as { challenge_id: string }
    const herCode = await mailedCode(app)
    const mine = await enrollmentOf(app, ada)
    await expectRefusal(
      await post(app, '/token/enroll/totp', { mfa_token: mine, ...later, code: herCode }),
      'invalid_code',
    )
    await app.admin.setPassword(grace.id, 'another good password')
    await expectRefusal(await post(app, '/token/enroll', { mfa_token: hers }), 'mfa_token_expired')
    expect(await app.rows.totpFactors.count()).toBe(0)
  })
})
