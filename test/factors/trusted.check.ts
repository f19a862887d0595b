import { expect, test } from 'bun:test'
import { DAY, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { audit, loggedIn, login, me } from '../sessions/support.ts'
import { createTestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail, forgot, reset, tokenIn } from '../verification/support.ts'
import { answerLogin, onTrusted, type Trusted, trustedDevices, trusting, waitingLogin } from './support.ts'

const env = { TRUSTED_DEVICE_DAYS: '30' }

describeApp('trusted devices at the same moment', { env }, (app) => {
  test('7.8 of many answers at the same moment one adds a device; a user keeps the twenty newest', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const other = await createTestApp({ databaseUrl: app.databaseUrl, clock: app.clock, env, seed: 'beside' })
    const json = { mfa_token: await waitingLogin(app, ada), otp: phone.code(), trust_device: true }
    const answers = await Promise.all(Array.from({ length: 24 }, (_, at) => answerLogin(at % 2 ? other : app, json)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await app.rows.trustedDevices.count()).toBe(1)
    const [id] = (await app.rows.trustedDevices.all()).map((row) => row.id)
    // 24 logins at the same moment, each of which may add one.
    const phones = await Promise.all(Array.from({ length: 24 }, () => app.factors.addApp(ada.id)))
    await app.clock.advance(MINUTE)
    const tokens = await Promise.all(phones.map(() => waitingLogin(app, ada)))
    const added = await Promise.all(
      tokens.map((mfa_token, at) =>
        answerLogin(at % 2 ? other : app, { mfa_token, otp: phones[at]!.code(), trust_device: true }),
      ),
    )
    expect(added.every(({ status }) => status === 200)).toBe(true)
    const rows = await app.rows.trustedDevices.all()
    expect(rows).toHaveLength(20)
    expect(rows.map((row) => row.id)).not.toContain(id!)
    const { access_token } = (await added[0]!.json()) as Trusted
    expect(await trustedDevices(app, access_token)).toHaveLength(20)
    // Of removals at the same moment one removes.
    const path = `/users/me/trusted-devices/${rows[0]!.id}`
    const removals = await Promise.all(
      Array.from({ length: 8 }, (_, at) => (at % 2 ? other : app).request('DELETE', path, { token: access_token })),
    )
    expect(removals.map(({ status }) => status).sort()).toEqual([204, ...Array(7).fill(404)])
    await other.close()
  })
})

describeEachDialect('trusted devices', (dialect) => {
  const open = appsWithMail()

  test('F43 are off by default; a shorter TRUSTED_DEVICE_DAYS ends those that are older', async () => {
    const { app } = await open(dialect, { env })
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const { trusted_device_token: token } = await trusting(app, ada, phone)
    const beside = { databaseUrl: app.databaseUrl, clock: app.clock }
    const off = await createTestApp({ ...beside, seed: 'off' })
    await expectRefusal(await onTrusted(off, ada, token), 'mfa_required')
    const json = { mfa_token: await waitingLogin(off, ada), otp: phone.code(1), trust_device: true }
    const grant = await answered<Trusted>(answerLogin(off, json))
    expect(grant).not.toHaveProperty('trusted_device_token')
    expect(await trustedDevices(off, grant.access_token)).toEqual([])
    await off.close()
    await app.clock.advance(2 * DAY - 1)
    const two = await createTestApp({ ...beside, env: { TRUSTED_DEVICE_DAYS: '2' }, seed: 'two' })
    expect((await onTrusted(two, ada, token)).status).toBe(200)
    await app.clock.advance(1)
    await expectRefusal(await onTrusted(two, ada, token), 'mfa_required')
    await two.close()
  })

  test('F43 a mail tells of it, a reset by mail ends it, nothing stored or logged shows the token, and the job deletes it', async () => {
    const { app, sink } = await open(dialect, {
      env: { ...env, EMAIL_LOGIN: 'on', LOGIN_URL: 'https://app.example.com/log-in' },
      jobs: true,
    })
    const ada = await app.signUp()
    await app.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1 })
    const phone = await app.factors.addApp(ada.id)
    const oneShot = { otp: phone.code(), trust_device: 'true' }
    const { trusted_device_token: token } = await answered<Trusted>(login(app, ada, oneShot))
    await app.process.deliverMail()
    const mail = sink.received.at(-1)!
    expect([mail.message.subject, mail.to]).toEqual(['A device is trusted at Example', [ada.email]])
    const { access_token } = await answered<Trusted>(onTrusted(app, ada, token))
    expect((await audit(app, 'trusted_device.added'))[0]).toMatchObject({ userId: ada.id, ip: '192.0.2.1' })
    const [row] = await app.rows.trustedDevices.all()
    for (const stored of [
      row,
      await app.rows.auditEvents.all(),
      await app.rows.mails.all(),
      mail.message.text,
      app.logs,
    ])
      expect(JSON.stringify(stored)).not.toContain(token.slice(4))
    await app.clock.advance(30 * SECOND)
    const fresh = await loggedIn(app, ada, { otp: phone.code() })
    const all = await answered<Record<string, object[]>>(
      app.request('POST', '/users/me/export', { token: fresh.access_token, json: {} }),
    )
    expect(all.trusted_devices).toEqual([
      {
        id: row!.id,
        name: row!.name,
        ip: '192.0.2.1',
        created_at: new Date(row!.createdAt).toISOString(),
        expires_at: new Date(row!.expiresAt).toISOString(),
      },
    ])
    // A login with a mail cannot use the trust, so it adds none.
    await app.request('POST', '/login/email', { json: { email: ada.email } })
    await app.process.deliverMail()
    const byMail = { token: tokenIn(sink.received.at(-1)!) }
    const due = await expectRefusal(await app.request('POST', '/login/email/verify', { json: byMail }), 'mfa_required')
    await app.clock.advance(30 * SECOND)
    const answer = { mfa_token: due.mfa_token, otp: phone.code(), trust_device: true }
    expect(await answered(answerLogin(app, answer))).not.toHaveProperty('trusted_device_token')
    await forgot(app, ada.email)
    await app.process.deliverMail()
    expect((await reset(app, tokenIn(sink.received.at(-1)!))).status).toBe(204)
    expect(await me(app, access_token)).toBe(401)
    await expectRefusal(await onTrusted(app, { ...ada, password: 'a longer and better one' }, token), 'mfa_required')
    await app.passTime(30 * DAY)
    expect(await app.rows.trustedDevices.count()).toBe(0)
  })
})
