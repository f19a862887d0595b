import { describe, expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { audit, decode, login, me, type Pair } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import type { Wrong } from '../support/authenticator.ts'
import { softAuthenticator } from '../support/authenticator.ts'
import { appPerTest, appsPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, passkeyLogin, passkeyOptions } from './support.ts'

const passed = async (response: Response): Promise<Pair> => {
  expect(response.status).toBe(200)
  return (await response.json()) as Pair
}
const mailsOf = (app: TestApp, kind: string) => app.rows.mails.count({ kind })
const reasons = async (app: TestApp, event: string) =>
  (await audit(app, event)).map(({ details }) => (JSON.parse(details!) as { reason: string }).reason)

describeApp('a login with a passkey alone', { mailbox: true }, (app) => {
  test('is both factors: no other one is asked for, and the device is known the next time', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const phone = await app.factors.addPasskey(ada.id)
    const options = await passkeyOptions(app)
    expect(options).toMatchObject({ rpId: 'localhost', allowCredentials: [], userVerification: 'required' })
    const first = await passed(await passkeyLogin(app, phone))
    expect(Object.keys(first)).toEqual(['access_token', 'token_type', 'expires_in', 'refresh_token', 'device_token'])
    expect(decode(first.access_token).payload).toMatchObject({
      sub: `${ada.id}`,
      acr: 'phr',
      amr: ['swk', 'user', 'mfa'],
    })
    expect(await me(app, first.access_token)).toBe(200)
    const devices = (await audit(app, 'login.new_device')).length
    await passed(await passkeyLogin(app, phone, { device_token: first.device_token! }))
    expect((await audit(app, 'login.new_device')).length).toBe(devices)
    // The token of a passkey is the same as that of a password.
    expect(await app.process.readDeviceToken(first.device_token!)).toMatchObject({ userId: ada.id })
    await passed(await passkeyLogin(app, phone, { device_token: ada.grant.device_token! }))
    expect((await audit(app, 'login.new_device')).length).toBe(devices)
    expect(await app.rows.passkeys.one({ userId: ada.id })).toMatchObject({ lastUsedAt: app.clock.now() })
  })

  test('N2: an answer works once, also 24 times at the same moment, and its challenge for five minutes', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addPasskey(ada.id)
    const credential = phone.get(await passkeyOptions(app))
    const sessions = await app.rows.sessions.count()
    const send = () => app.request('POST', '/token/passkey', { json: { credential } })
    const answers = await Promise.all(Array.from({ length: 24 }, send))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200)) await expectRefusal(answer, 'invalid_passkey')
    expect(await app.rows.sessions.count()).toBe(sessions + 1)
    expect(await app.rows.usedNonces.count()).toBe(1)

    const late = phone.get(await passkeyOptions(app))
    await app.clock.advance(5 * MINUTE + 1)
    await expectRefusal(await app.request('POST', '/token/passkey', { json: { credential: late } }), 'invalid_passkey')
    // A wrong answer uses its challenge up, too.
    const options = await passkeyOptions(app)
    const wrong = phone.get(options, { flags: { uv: false } })
    await expectRefusal(await app.request('POST', '/token/passkey', { json: { credential: wrong } }), 'invalid_passkey')
    const right = phone.get(options)
    await expectRefusal(await app.request('POST', '/token/passkey', { json: { credential: right } }), 'invalid_passkey')
  })

  test('N9: two uses of one counter at the same moment: one is refused, told and mailed', async () => {
    const ada = await app.signUp()
    const key = await app.factors.addPasskey(ada.id, { synced: false, counter: 7 })
    const credentials = [0, 1].map(async () => key.get(await passkeyOptions(app), { counter: 9 }))
    const answers = await Promise.all(
      credentials.map(async (one) => app.request('POST', '/token/passkey', { json: { credential: await one } })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(await audit(app, 'factor.clone_suspected')).toHaveLength(1)
    expect((await audit(app, 'factor.clone_suspected'))[0]).toMatchObject({ userId: ada.id })
    expect(await reasons(app, 'login.failed')).toEqual(['counter'])
    expect(await app.rows.passkeys.one({ userId: ada.id })).toMatchObject({ signCount: 9 })
    expect(await mailsOf(app, 'factor_copied')).toBe(1)
    // A synced passkey may count on each device by itself.
    const synced = await app.factors.addPasskey(ada.id, { counter: 7 })
    for (const counter of [9, 8]) await passed(await passkeyLogin(app, synced, { wrong: { counter } }))
    expect(await app.rows.passkeys.one({ isBackupEligible: true })).toMatchObject({ signCount: 9 })
  })
})

describe('a login with a passkey alone', () => {
  const app = appPerTest()
  const isRefused = async (response: Response, reason: string) => {
    await expectRefusal(response, 'invalid_passkey')
    expect((await reasons(app, 'login.failed')).at(-1)).toBe(reason)
  }

  test('N3, N4, N5, N8: is refused when anything in the answer is wrong', async () => {
    const ada = await app.signUp()
    const bea = await app.signUp('bea')
    const phone = await app.factors.addPasskey(ada.id)
    const other = await app.factors.addPasskey(bea.id)
    const { userHandle } = other.credentials[0]!
    const wrongs: [string, Wrong][] = [
      ['origin', { origin: 'https://evil.example' }],
      ['origin', { origin: 'http://localhost.evil.example' }],
      ['cross_origin', { crossOrigin: true }],
      ['cross_origin', { topOrigin: 'https://evil.example' }],
      ['type', { type: 'webauthn.create' }],
      ['challenge', { challenge: Buffer.alloc(56, 1).toString('base64url') }],
      ['rp_id', { rpId: 'evil.example' }],
      ['user_presence', { flags: { up: false } }],
      ['user_verification', { flags: { uv: false } }],
      ['backup_eligibility_changed', { flags: { be: false, bs: false } }],
      ['user_handle', { userHandle }],
      ['user_handle', { userHandle: null }],
      ['signature', { signedBy: other.credentials[0]! }],
    ]
    for (const [reason, wrong] of wrongs) await isRefused(await passkeyLogin(app, phone, { wrong }), reason)
    // The key of a security key is never enough alone, even when it verifies its user.
    const key = await app.factors.addPasskey(ada.id, { kind: 'security_key', verifiesUser: true, synced: true })
    await isRefused(await passkeyLogin(app, key), 'kind')
    expect(await app.rows.sessions.count()).toBe(2)
    await passed(await passkeyLogin(app, phone))
  })

  test('tells an unknown passkey from a wrong one, and an inactive account from neither', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addPasskey(ada.id)
    const stranger = softAuthenticator({ origin: 'http://localhost:8000' })
    const options = await passkeyOptions(app)
    stranger.credentials.push({ ...phone.credentials[0]!, id: Buffer.from('another id') })
    const credential = stranger.get(options)
    await expectRefusal(await app.request('POST', '/token/passkey', { json: { credential } }), 'unknown_passkey')
    for (const text of [{}, { credential: {} }, { credential: { id: 'x', type: 'y', response: {} } }])
      await expectRefusal(await app.request('POST', '/token/passkey', { json: text }), 'invalid_request')
    await app.admin.deactivate(ada.id)
    await isRefused(await passkeyLogin(app, phone), 'inactive')
    await app.admin.activate(ada.id)
    await passed(await passkeyLogin(app, phone))
  })

  test('is a grant of the token endpoint, too', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addPasskey(ada.id)
    const grant_type = 'urn:keyward:oauth:grant-type:passkey'
    const credential = JSON.stringify(phone.get(await passkeyOptions(app)))
    const pair = await passed(
      await app.request('POST', '/token', { form: { grant_type, credential, scope: 'account' } }),
    )
    expect(pair).toMatchObject({ scope: 'account' })
    const again = await app.request('POST', '/token', { form: { grant_type, credential } })
    expect(await expectRefusal(again, 'invalid_passkey')).toMatchObject({ error: 'invalid_grant' })
    for (const wrong of [{}, { credential: '{' }])
      await expectRefusal(
        await app.request('POST', '/token', { form: { grant_type, ...wrong } as Record<string, string> }),
        'invalid_request',
      )
    const metadata = (await (await app.request('GET', '/.well-known/oauth-authorization-server')).json()) as {
      grant_types_supported: string[]
    }
    expect(metadata.grant_types_supported).toContain(grant_type)
  })
})

describeApp('a passkey or security key as the second factor', {}, (app) => {
  const waiting = async (user: { username: string; password: string }) => {
    const problem = await expectRefusal(await login(app, user), 'mfa_required')
    return { mfa_token: problem.mfa_token!, options: problem.webauthn as Awaited<ReturnType<typeof passkeyOptions>> }
  }

  test('ends a login; the challenge works once, and the login outlives a wrong answer', async () => {
    const ada = await app.signUp()
    const key = await app.factors.addPasskey(ada.id, { kind: 'security_key' })
    const { mfa_token, options } = await waiting(ada)
    expect(options).toMatchObject({ rpId: 'localhost', userVerification: 'discouraged' })
    expect(options.allowCredentials).toHaveLength(1)
    const forged = key.get(options, { origin: 'https://evil.example' })
    await expectRefusal(await answerLogin(app, { mfa_token, webauthn: forged }), 'webauthn_failed')
    // The challenge is used up, the login is not.
    await expectRefusal(await answerLogin(app, { mfa_token, webauthn: key.get(options) }), 'webauthn_failed')
    const again = await answerLogin(app, { mfa_token })
    const { webauthn, methods } = (await again.json()) as { webauthn: typeof options; methods: string[] }
    expect(methods).toEqual(['webauthn', 'recovery_code'])
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => answerLogin(app, { mfa_token, webauthn: key.get(webauthn) })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const pair = await passed(answers.find(({ status }) => status === 200)!)
    expect(decode(pair.access_token).payload).toMatchObject({ acr: 'aal2', amr: ['pwd', 'hwk', 'mfa'] })
    expect(await app.rows.sessions.count()).toBe(2)
    expect(await reasons(app, 'factor.refused')).toEqual(['origin'])
  })

  test('of another user is refused, and a passkey that verifies its user gives the highest level', async () => {
    const ada = await app.signUp()
    const bea = await app.signUp('bea')
    const phone = await app.factors.addPasskey(ada.id)
    const other = await app.factors.addPasskey(bea.id)
    const first = await waiting(ada)
    const foreign = other.get({ ...first.options, allowCredentials: [] })
    await expectRefusal(await answerLogin(app, { ...first, webauthn: foreign, options: undefined }), 'webauthn_failed')
    expect(await reasons(app, 'factor.refused')).toEqual(['unknown_credential'])
    const { mfa_token, options } = await waiting(ada)
    const form = {
      grant_type: 'urn:keyward:oauth:grant-type:mfa',
      mfa_token,
      webauthn: JSON.stringify(phone.get(options)),
    }
    const pair = await passed(await app.request('POST', '/token', { form }))
    expect(decode(pair.access_token).payload).toMatchObject({ acr: 'phr', amr: ['pwd', 'swk', 'user', 'mfa'] })
  })
})

describe('passkeys', () => {
  test('that were made for another domain are no factor, and no login', async () => {
    const { app, other } = await twoDomains()
    const ada = await app.signUp()
    const phone = await app.factors.addPasskey(ada.id)
    expect((await login(other, ada)).status).toBe(200)
    const credential = phone.get({ ...(await passkeyOptions(other)), rpId: 'localhost' }, { rpId: 'auth.example' })
    await expectRefusal(await other.request('POST', '/token/passkey', { json: { credential } }), 'unknown_passkey')
    await expectRefusal(await login(app, ada), 'mfa_required')
  })

  test('turned off do not exist', async () => {
    const app = await apps.open({ env: { PASSKEYS: 'off' } })
    for (const [method, path] of [
      ['POST', '/passkeys/options'],
      ['GET', '/.well-known/webauthn'],
      ['GET', '/.well-known/passkey-endpoints'],
    ] as const)
      await expectRefusal(await app.request(method, path), 'not_found')
    const credential = {
      id: 'x',
      rawId: 'x',
      type: 'public-key',
      response: { clientDataJSON: 'e30', authenticatorData: '', signature: '' },
    }
    await expectRefusal(await app.request('POST', '/token/passkey', { json: { credential } }), 'not_found')
    const form = { grant_type: 'urn:keyward:oauth:grant-type:passkey', credential: JSON.stringify(credential) }
    await expectRefusal(await app.request('POST', '/token', { form }), 'unsupported_grant_type')
  })

  test('have documents for browsers and password managers', async () => {
    const app = await apps.open({
      env: {
        PUBLIC_URL: 'https://auth.example.com',
        WEBAUTHN_ORIGINS: `https://app.example.com,android:apk-key-hash:${'a'.repeat(43)}`,
        WEBAUTHN_RP_ID: 'example.com',
      },
    })
    const origins = await app.request('GET', '/.well-known/webauthn')
    expect(origins.headers.get('content-type')).toStartWith('application/json')
    expect(await origins.json()).toEqual({ origins: ['https://auth.example.com', 'https://app.example.com'] })
    const page = 'https://auth.example.com/account/security'
    const endpoints = await app.request('GET', '/.well-known/passkey-endpoints')
    expect(await endpoints.json()).toEqual({ enroll: page, manage: page })
    expect(await passkeyOptions(app)).toMatchObject({ rpId: 'example.com' })
    const without = await apps.open({ env: { PAGES: 'off' } })
    expect(await (await without.request('GET', '/.well-known/passkey-endpoints')).json()).toEqual({})
  })

  test('leave no trace of their challenges: a request for one stores nothing, and a used one goes', async () => {
    const app = await apps.open({ jobs: true })
    const ada = await app.signUp()
    const phone = await app.factors.addPasskey(ada.id)
    for (let at = 0; at < 3; at++) await passkeyOptions(app)
    expect([await app.rows.usedNonces.count(), await app.rows.factorChallenges.count()]).toEqual([0, 0])
    await passed(await passkeyLogin(app, phone))
    expect(await app.rows.usedNonces.count()).toBe(1)
    await app.passTime(7 * MINUTE)
    expect(await app.rows.usedNonces.count()).toBe(0)
  })

  const apps = appsPerTest()
  const twoDomains = async () => {
    const app = await apps.open()
    const { databaseUrl, clock } = app
    const other = await apps.open({ databaseUrl, clock, env: { PUBLIC_URL: 'https://auth.example' } })
    return { app, other }
  }
})
