import { describe, expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { passkeyLogin } from '../factors/support.ts'
import { audit, decode, loggedIn, login, me, type Pair, sessionIdOf } from '../sessions/support.ts'
import { type SoftAuthenticator, softAuthenticator, type Wrong } from '../support/authenticator.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail } from '../verification/support.ts'
import {
  begin,
  codeOf,
  confirm,
  enrolPasskey,
  listed,
  type Pending,
  passkeyOptions,
  remove,
  sendPasskey,
} from './support.ts'

type RequestOptions = Parameters<SoftAuthenticator['get']>[0]

const origin = 'http://localhost:8000'
const phone = (more = {}) => softAuthenticator({ origin, ...more })
/** A key without a PIN, which counts its uses. */
const stick = () => phone({ verifiesUser: false, synced: false, counter: 0, transports: ['usb'] })

describeEachDialect('a passkey', (dialect) => {
  const open = appsWithMail()

  test('N12, A14: is added by a fresh session and removed with the password; each ends the other sessions and is mailed', async () => {
    const { app, sink } = await open(dialect, { env: { PUBLIC_URL: origin } })
    const ada = await app.signUp()
    const other = await loggedIn(app, ada)
    const first = await enrolPasskey(
      app,
      ada.grant.access_token,
      phone({ aaguid: 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4' }),
    )
    expect(first.options).toMatchObject({
      rp: { id: 'localhost', name: 'Example' },
      user: { name: 'ada@example.com', displayName: 'ada' },
      excludeCredentials: [],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    })
    expect(Buffer.from(first.options.user.id, 'base64url')).toHaveLength(32)
    expect(first.factor).toEqual({
      id: 'p1',
      type: 'passkey',
      name: 'Google Password Manager',
      created_at: '2026-01-01T00:00:00.000Z',
      last_used_at: null,
      usable: true,
      synced: true,
    })
    expect(first.recovery_codes).toHaveLength(10)
    expect(decode(first.token).payload).toMatchObject({
      sid: sessionIdOf(ada.grant as never),
      acr: 'aal2',
      amr: ['pwd', 'swk', 'mfa'],
    })
    expect([await me(app, first.token), await me(app, other.access_token)]).toEqual([200, 401])

    const key = await enrolPasskey(app, first.token, stick(), { kind: 'security_key', name: 'Blue key' })
    expect(key.options).toMatchObject({
      authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' },
      hints: ['security-key'],
      user: { id: first.options.user.id },
    })
    expect(key.options.excludeCredentials).toHaveLength(1)
    expect(key.factor).toMatchObject({ id: 'p2', type: 'security_key', name: 'Blue key', synced: false })
    expect(key.recovery_codes).toBeUndefined()
    expect((await listed(app, key.token)).factors.map(({ id }) => id)).toEqual(['p1', 'p2'])

    await expectRefusal(await remove(app, key.token, 'p1'), 'validation_failed')
    const proof = { password: ada.password }
    for (const id of ['p1', 'p2']) expect((await remove(app, key.token, id, proof)).status).toBe(204)
    expect(await app.rows.recoveryCodes.count()).toBe(0)
    await app.process.deliverMail()
    expect(sink.received.map(({ message }) => message.subject).sort()).toEqual([
      'A second factor was added at Example',
      'A second factor was added at Example',
      'A second factor was removed at Example',
      'A second factor was removed at Example',
    ])
    const events = (await app.rows.auditEvents.all({ userId: ada.id })).filter(({ event }) =>
      event.startsWith('factor.'),
    )
    expect(events.map(({ event, details }) => [event, details])).toEqual([
      ['factor.confirmed', '{"factor":"p1","type":"passkey"}'],
      ['factor.confirmed', '{"factor":"p2","type":"security_key"}'],
      ['factor.removed', '{"factor":"p1","type":"passkey"}'],
      ['factor.removed', '{"factor":"p2","type":"security_key"}'],
    ])
  })
})

describeApp('the registration of a passkey', {}, (app) => {
  test('N2, N7: 24 times the same answer is one row; a credential belongs to one account only', async () => {
    const ada = await app.signUp()
    const { access_token: token } = ada.grant
    const device = phone({ seed: 'one' })
    const { challenge_id, options } = await passkeyOptions(app, token)
    const credential = device.create(options)
    const send = () => sendPasskey(app, token, { challenge_id, credential })
    const answers = await Promise.all(Array.from({ length: 24 }, send))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    // Once there is a factor, the tokens of the others are not enough.
    expect(answers.filter(({ status }) => status === 400 || status === 401)).toHaveLength(23)
    expect(await app.rows.passkeys.count()).toBe(1)

    const bea = await app.signUp('bea')
    const theirs = await passkeyOptions(app, bea.grant.access_token)
    const copy = phone({ seed: 'one' }).create({ ...theirs.options, excludeCredentials: [] })
    expect(copy.id).toBe(credential.id)
    const refused = await sendPasskey(app, bea.grant.access_token, {
      challenge_id: theirs.challenge_id,
      credential: copy,
    })
    await expectRefusal(refused, 'credential_exists')
    const odd = await sendPasskey(app, bea.grant.access_token, { challenge_id: '\0', credential: copy })
    await expectRefusal(odd, 'webauthn_failed')
    expect(await app.rows.passkeys.count()).toBe(1)
    // Nothing of the refused change stays: this session did not rise, and no session has ended.
    expect(await me(app, bea.grant.access_token)).toBe(200)
    expect((await login(app, bea)).status).toBe(200)
  })
})

describeApp('the last place for a factor', { env: { MAX_FACTORS_PER_USER: '1' } }, (app) => {
  test('is taken once, also when an app and a passkey come at the same moment', async () => {
    const ada = await app.signUp()
    const { access_token: token } = ada.grant
    const { challenge_id, options } = await passkeyOptions(app, token)
    const pending = await answered<Pending>(begin(app, token), 201)
    const answers = await Promise.all([
      sendPasskey(app, token, { challenge_id, credential: phone().create(options) }),
      confirm(app, token, pending.id, { code: codeOf(app, pending.secret) }),
    ])
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
    await expectRefusal(answers.find(({ status }) => status >= 300)!, 'too_many_factors')
    const apps = (await app.rows.totpFactors.all()).filter(({ confirmedAt }) => confirmedAt !== null)
    expect((await app.rows.passkeys.count()) + apps.length).toBe(1)
  })
})

describe('a passkey or security key', () => {
  const app = appPerTest()
  const reasons = async () =>
    (await audit(app, 'factor.refused')).map(({ details }) => (JSON.parse(details!) as { reason: string }).reason)

  test('N2, N3, N4, N5, N6: is not registered when anything in the answer is wrong, which uses the challenge up', async () => {
    const ada = await app.signUp()
    const { access_token: token } = ada.grant
    const wrongs: [string, Wrong][] = [
      ['origin', { origin: 'https://evil.example' }],
      ['cross_origin', { crossOrigin: true }],
      ['type', { type: 'webauthn.get' }],
      ['challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
      ['rp_id', { rpId: 'evil.example' }],
      ['user_presence', { flags: { up: false } }],
      ['user_verification', { flags: { uv: false } }],
      ['algorithm', { alg: -35 }],
      ['attestation_object', { attestationObject: Buffer.from('a1', 'hex') }],
    ]
    for (const [, wrong] of wrongs) {
      const { challenge_id, options } = await passkeyOptions(app, token)
      const device = phone()
      const refused = await sendPasskey(app, token, { challenge_id, credential: device.create(options, wrong) })
      await expectRefusal(refused, 'webauthn_failed')
      const right = await sendPasskey(app, token, { challenge_id, credential: phone().create(options) })
      await expectRefusal(right, 'webauthn_failed')
    }
    const expected = wrongs.flatMap(([reason]) => [reason, 'challenge'])
    expect(await reasons()).toEqual(expected)
    // The challenge belongs to its session, and lasts five minutes.
    const other = await loggedIn(app, ada)
    const { challenge_id, options } = await passkeyOptions(app, token)
    const sent = { challenge_id, credential: phone().create(options) }
    await expectRefusal(await sendPasskey(app, other.access_token, sent), 'webauthn_failed')
    await app.clock.advance(5 * MINUTE)
    await expectRefusal(await sendPasskey(app, token, sent), 'webauthn_failed')
    expect(await app.rows.passkeys.count()).toBe(0)
  })

  test('makes a session fresh again, where a password does not', async () => {
    const ada = await app.signUp()
    const key = stick()
    const { token } = await enrolPasskey(app, ada.grant.access_token, key, { kind: 'security_key' })
    await app.clock.advance(16 * MINUTE)
    const add = (bearer: string) =>
      app.request('POST', '/users/me/factors/webauthn/options', {
        token: bearer,
        json: { kind: 'passkey', password: ada.password },
      })
    const refused = await add(token)
    await expectRefusal(refused, 'reauthentication_required')
    expect(refused.headers.get('www-authenticate')).toContain('acr_values="aal2"')
    const stepUp = (json: object) => app.request('POST', '/token/step-up', { token, json })
    const { webauthn } = await answered<{ webauthn: RequestOptions }>(stepUp({}))
    const forged = key.get(webauthn, { origin: 'https://evil.example' })
    await expectRefusal(await stepUp({ webauthn: forged }), 'webauthn_failed')
    await expectRefusal(await stepUp({ webauthn: key.get(webauthn) }), 'webauthn_failed')
    const again = await answered<{ webauthn: RequestOptions }>(stepUp({}))
    const assertion = key.get(again.webauthn)
    const answers = await Promise.all(Array.from({ length: 8 }, () => stepUp({ webauthn: assertion })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const raised = await answered<Pair>(Promise.resolve(answers.find(({ status }) => status === 200)!))
    expect(decode(raised.access_token).payload).toMatchObject({ acr: 'aal2', sid: sessionIdOf(ada.grant as never) })
    expect((await add(raised.access_token)).status).toBe(200)
  })

  test('N12: of an account without a password stays when nothing else logs it in', async () => {
    const ada = await app.signUp()
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const device = await app.factors.addPasskey(ada.id)
    const { access_token: token } = await answered<Pair>(passkeyLogin(app, device))
    await expectRefusal(await remove(app, token, 'p1'), 'last_login_method')
    const second = await enrolPasskey(app, token, phone())
    expect((await remove(app, second.token, 'p1')).status).toBe(204)
    await expectRefusal(await passkeyLogin(app, device), 'unknown_passkey')
  })
})

describe('a passkey that other devices can have a copy of', () => {
  const app = appPerTest({ env: { PASSKEYS_SYNCED: 'deny' } })
  test('is refused with PASSKEYS_SYNCED=deny', async () => {
    const { access_token: token } = (await app.signUp()).grant
    const { challenge_id, options } = await passkeyOptions(app, token)
    const refused = await sendPasskey(app, token, { challenge_id, credential: phone().create(options) })
    await expectRefusal(refused, 'synced_passkey')
    expect((await enrolPasskey(app, token, phone({ synced: false }))).factor.synced).toBe(false)
  })
})
