import { expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE } from '../../src/lib/clock.ts'
import { loggedIn, refresh } from '../sessions/support.ts'
import type { SignedUp, TestApp, TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { attack, guess, guesses, limited, password, tally, times } from './support.ts'

/* What vouches for a caller: the known devices and networks of an account, and the roof over all of them. */

describeEachDialect('known devices and networks', (dialect) => {
  const withAda = (run: (app: TestApp, ada: SignedUp) => Promise<void>, options: TestAppOptions = {}) =>
    withApp(limited({ dialect, ...options }), async (app) => run(app, await app.signUp('ada', password)))
  const wrong = (app: TestApp, peer: string, device?: string) => guess(app, { username: 'ada', peer, device })
  const right = (app: TestApp, peer: string, more: { device?: string; password?: string } = {}) =>
    guess(app, { username: 'ada', password, peer, ...more })
  const change = (app: TestApp, token: string, peer: string, next: string) =>
    app.request('PUT', '/users/me/password', {
      json: { current_password: password, new_password: next },
      token,
      peer,
    })

  test('12.A1 a refresh does not make a network known', () =>
    withAda(async (app, ada) => {
      await attack(app)
      let token = ada.grant.refresh_token!
      for (let i = 0; i < 5; i++) {
        const peer = `198.51.100.${i}`
        const response = await app.request('POST', '/token/refresh', { json: { refresh_token: token }, peer })
        token = ((await response.json()) as { refresh_token: string }).refresh_token
        expect((await wrong(app, peer)).status).toBe(429)
      }
      // The network of the login stays known, although the session was refreshed elsewhere since.
      expect((await right(app, '192.0.2.1')).status).toBe(200)
    }))

  test('12.A1 all known networks and devices of an account share one roof, which refuses nobody', () =>
    withAda(async (app) => {
      const devices: string[] = []
      for (let i = 0; i < 12; i++) devices.push((await right(app, `198.51.100.${i}`)).deviceToken!)
      await attack(app)
      const statuses: number[] = []
      for (let round = 0; round < 5; round++)
        for (let i = 0; i < 12; i++) statuses.push((await wrong(app, `198.51.100.${i}`)).status)
      expect(tally(statuses)).toEqual({ 401: 30, 429: 30 })
      // The refusal names the limit of strangers, not the roof.
      expect((await right(app, '198.51.100.1')).limit).toBe('login.name')
      // Each device that was enrolled since the last change of the password has three guesses more.
      for (const device of devices.slice(0, 3)) {
        expect(await guesses(app, 3, { username: 'ada', peer: '203.0.113.1', device })).toEqual(times(3, 401))
        expect((await wrong(app, '203.0.113.1', device)).status).toBe(429)
      }
      expect((await right(app, '203.0.113.1', { device: devices[5] })).status).toBe(200)
    }))

  test('12.A1 a spent roof is refilled when a password is set, and a right password does not refill it', () =>
    withAda(async (app, ada) => {
      for (let i = 0; i < 8; i++) await right(app, `198.51.100.${i}`)
      await attack(app)
      for (let i = 0; i < 8; i++)
        for (const username of ['ada', 'ada@example.com']) await guesses(app, 3, { username, peer: `198.51.100.${i}` })
      expect((await right(app, '198.51.100.7')).status).toBe(429)
      expect((await right(app, '198.51.100.7', { device: ada.grant.device_token })).status).toBe(200)
      expect((await right(app, '198.51.100.7')).status).toBe(429)
      const roof = () =>
        app.rows.limits.all().then((rows) => rows.filter(({ key }) => key.startsWith('login.known_ac')))
      expect(await roof()).not.toEqual([])
      await app.admin.setPassword(ada.id, password)
      expect(await roof()).toEqual([])
    }))

  test('12.A1 a new password keeps the device and network of its session, and forgets all others', () =>
    withAda(async (app, ada) => {
      const phone = await loggedIn(app, ada)
      await right(app, '198.51.100.7')
      expect((await change(app, ada.grant.access_token, '203.0.113.5', 'a new passphrase')).status).toBe(204)
      await attack(app)
      const next = { password: 'a new passphrase' }
      expect((await right(app, '203.0.113.9', { device: phone.device_token, ...next })).status).toBe(429)
      expect((await right(app, '198.51.100.7', next)).status).toBe(429)
      expect((await right(app, '192.0.2.1', next)).status).toBe(429)
      expect((await right(app, '203.0.113.5', next)).status).toBe(200)
      expect((await right(app, '203.0.113.9', { device: ada.grant.device_token, ...next })).status).toBe(200)
      // The session and its token stay good.
      expect((await refresh(app, ada.grant.refresh_token!)).status).toBe(200)
      expect(await app.rows.devices.count({ userId: ada.id })).toBe(2)
    }))

  test('12.A1 a set password and a deactivation forget devices and networks', () =>
    withAda(async (app, ada) => {
      const unknown = async (device: string, peer: string) => {
        await attack(app)
        expect((await right(app, '203.0.113.9', { device })).status).toBe(429)
        expect((await right(app, peer)).status).toBe(429)
        await app.rows.limits.remove()
        await app.clock.advance(MINUTE)
      }
      await app.admin.setPassword(ada.id, password)
      await unknown(ada.grant.device_token!, '192.0.2.1')
      const again = await right(app, '192.0.2.1')
      await app.admin.deactivate(ada.id)
      await app.admin.activate(ada.id)
      await unknown(again.deviceToken!, '192.0.2.1')
    }))

  test('12.A1 at most twenty devices of an account are known, of many parallel logins too', () =>
    withAda(async (app, ada) => {
      for (let i = 0; i < 20; i++) {
        await app.clock.advance(1_000)
        await right(app, `198.51.100.${i}`)
      }
      expect(await app.rows.devices.count({ userId: ada.id })).toBe(20)
      await app.clock.advance(DAY)
      await attack(app)
      // The device of the registration logged in longest ago.
      expect((await right(app, '203.0.113.9', { device: ada.grant.device_token })).status).toBe(429)
      await app.rows.limits.remove()
      await app.clock.advance(HOUR)
      await Promise.all(Array.from({ length: 8 }, (_, i) => right(app, `203.0.113.${i}`)))
      expect(await app.rows.devices.count({ userId: ada.id })).toBe(20)
    }))

  test('12.A1 LIMITS=login.device=off means that a device token vouches for nobody', () =>
    withAda(
      async (app, ada) => {
        const device = ada.grant.device_token
        expect(await guesses(app, 4, { username: 'ada', peer: '203.0.113.9', device })).toEqual([...times(3, 401), 429])
        await attack(app)
        expect((await right(app, '203.0.113.10', { device })).status).toBe(429)
      },
      { env: { LIMITS: 'login.device=off' } },
    ))

  test('12.A1 LIMITS=login.known_account=off means that no network vouches', () =>
    withAda(
      async (app) => {
        await attack(app)
        expect((await right(app, '192.0.2.1')).status).toBe(429)
      },
      { env: { LIMITS: 'login.known_account=off' } },
    ))
})
