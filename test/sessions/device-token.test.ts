import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { isOfEarlierVersion } from '../../src/features/sessions/device-token.ts'
import { DAY } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps, withApp } from '../support/hooks.ts'
import { audit, dataKey, decode, loggedIn, me, refresh } from './support.ts'

const newDevices = async (app: TestApp) => (await audit(app, 'login.new_device')).length
const idOf = (token: string) => decode(token).payload.jti

describeEachDialect('a device token', (dialect) => {
  test('identifies a device for 180 days; a new login keeps the id and is not reported as a new device', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const first = ada.grant.device_token!
      expect(await newDevices(app)).toBe(1)
      await app.clock.advance(179 * DAY)
      const again = await loggedIn(app, ada, { device_token: first })
      expect(idOf(again.device_token)).toBe(idOf(first))
      expect(await newDevices(app)).toBe(1)
      await app.clock.advance(179 * DAY)
      const renewed = await loggedIn(app, ada, { device_token: again.device_token })
      expect(idOf(renewed.device_token)).toBe(idOf(first))
      const other = await loggedIn(app, ada)
      expect(idOf(other.device_token)).not.toBe(idOf(first))
      expect(await newDevices(app)).toBe(2)
      await app.clock.advance(181 * DAY)
      const late = await loggedIn(app, ada, { device_token: renewed.device_token })
      expect(idOf(late.device_token)).not.toBe(idOf(first))
      expect(await newDevices(app)).toBe(3)
    }))

  test('is invalid after another person set the password, also for a device that logs in at that moment', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      await app.admin.setPassword(ada.id, 'set by the admin')
      const again = await loggedIn(
        app,
        { ...ada, password: 'set by the admin' },
        { device_token: ada.grant.device_token! },
      )
      expect(idOf(again.device_token)).not.toBe(idOf(ada.grant.device_token!))
      expect(await newDevices(app)).toBe(2)
      const known = await loggedIn(app, { ...ada, password: 'set by the admin' }, { device_token: again.device_token })
      expect(idOf(known.device_token)).toBe(idOf(again.device_token))
    }))

  test('of another user or with a wrong signature is ignored, and the login succeeds', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const { header, payload } = decode(ada.grant.device_token!)
      const key = Buffer.from(await dataKey(app, 'device_token')).toString('hex')
      const signed = (head: object, body: object, hash = 'sha256') => {
        const text = [head, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
        return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`
      }
      // The forgery itself works: a token signed with the right key is accepted.
      expect(await app.process.readDeviceToken(signed(header, payload))).toMatchObject({ userId: ada.id })
      for (const bad of [
        bea.grant.device_token!,
        ada.grant.access_token,
        ada.grant.refresh_token!,
        ada.grant.device_token!.slice(0, -1),
        `${ada.grant.device_token!.slice(0, -3)}AAA`,
        signed({ ...header, alg: 'HS512' }, payload, 'sha512'),
        signed({ ...header, typ: 'JWT' }, payload),
        signed({ ...header, typ: 'at+jwt' }, payload),
        signed({ alg: 'none', typ: header.typ }, payload),
        signed(header, { ...payload, aud: 'keyward' }),
        signed(header, { ...payload, exp: 1 }),
        signed(header, { ...payload, jti: `${payload.jti}x` }),
        signed(header, { ...payload, jti: 7 }),
        signed(header, { ...payload, epoch: '1' }),
        signed(header, { ...payload, sub: String(bea.id) }),
        signed(header, { ...payload, sub: Number(ada.id) }),
        'x'.repeat(2_000),
        'not a token',
        '..',
      ]) {
        const before = await newDevices(app)
        const { device_token } = await loggedIn(app, ada, { device_token: bad })
        expect([bad, idOf(device_token) === payload.jti]).toEqual([bad, false])
        expect(await newDevices(app)).toBe(before + 1)
      }
    }))

  test('E5: gives no access by itself', () =>
    withApp({ dialect }, async (app) => {
      const { grant } = await app.signUp()
      expect(await me(app, grant.device_token!)).toBe(401)
      expect((await refresh(app, grant.device_token!)).status).toBe(401)
    }))

  test('is not accepted for an account without a known device', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const user = await app.admin.user(ada.id)
      expect(isOfEarlierVersion({ deviceId: 'x', userId: ada.id, epoch: 0 }, user)).toBe(false)
    }))

  test('of each of many parallel first logins is valid', async () => {
    const apps = await createApps(2, { dialect })
    const ada = await apps[0]!.signUp()
    await apps[0]!.rows.devices.remove()
    const pairs = await Promise.all(Array.from({ length: 8 }, (_, at) => loggedIn(apps[at % 2]!, ada)))
    const before = await newDevices(apps[0]!)
    for (const { device_token } of pairs)
      expect(idOf((await loggedIn(apps[1]!, ada, { device_token })).device_token)).toBe(idOf(device_token))
    expect(await newDevices(apps[0]!)).toBe(before)
    await closeApps(apps)
  })

  test('is valid with a new SECRET_KEY while the previous one is set', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const [renamed] = await createApps(1, {
        databaseUrl: app.databaseUrl,
        clock: app.clock,
        seed: 'renamed',
        env: { SECRET_KEY: 'another-secret-key-0123456789abcdefghij', SECRET_KEY_PREVIOUS: app.config.SECRET_KEY },
      })
      const { device_token } = await loggedIn(renamed!, ada, { device_token: ada.grant.device_token! })
      expect(idOf(device_token)).toBe(idOf(ada.grant.device_token!))
      await renamed!.close()
    }))
})
