import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { enrol, remove, renewCodes } from '../enrollment/support.ts'
import { audit, decode, loggedIn } from '../sessions/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { answerLogin, onTrusted, trustedDevices, trusting, waitingLogin } from './support.ts'

const env = { TRUSTED_DEVICE_DAYS: '30' }

describeApp('a trusted device', { env }, (app) => {
  test('F43 is asked for the password only, and gives a session of one factor; it ends after 30 days, used or not', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const { access_token, trusted_device_token: token } = await trusting(app, ada, phone)
    expect(token).toMatch(/^kwt_[A-Za-z0-9_-]{43}$/)
    expect(decode(access_token).payload).toMatchObject({ acr: 'aal2' })
    const createdAt = app.clock.now()
    const { username, password } = ada
    const inJson = { json: { username, password, trusted_device_token: token } }
    for (const answer of [await onTrusted(app, ada, token), await app.request('POST', '/token', inJson)]) {
      expect(answer.status).toBe(200)
      const grant = (await answer.json()) as Record<string, string>
      expect(Object.keys(grant)).not.toContain('trusted_device_token')
      expect(decode(grant.access_token!).payload).toMatchObject({ amr: ['pwd', 'device'], acr: 'aal1' })
      // What needs a second factor asks for it all the same, and the password is no substitute.
      for (const [method, path, json] of [
        ['POST', '/users/me/recovery-codes', { password }],
        ['POST', '/users/me/factors/totp', { password }],
        ['PUT', '/users/me/password', { current_password: password, new_password: 'another good one' }],
      ] as const)
        await expectRefusal(
          await app.request(method, path, { token: grant.access_token, json }),
          'reauthentication_required',
        )
    }
    const [event] = (await audit(app, 'login.succeeded')).slice(-1)
    expect(JSON.parse(event!.details!)).toEqual({ amr: 'pwd device' })
    expect(await trustedDevices(app, access_token)).toEqual([
      {
        id: expect.stringMatching(/^[\w-]{22}$/),
        device: 'Firefox on Linux',
        ip: '192.0.2.1',
        created_at: new Date(createdAt).toISOString(),
        expires_at: new Date(createdAt + 30 * DAY).toISOString(),
      } as never,
    ])
    await app.clock.advance(30 * DAY - 1)
    expect((await onTrusted(app, ada, token)).status).toBe(200)
    await app.clock.advance(1)
    await expectRefusal(await onTrusted(app, ada, token), 'mfa_required')
  })

  test('F43 its token is worth nothing without the password, for another user, altered, or copied to another row', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const { trusted_device_token: token } = await trusting(app, ada, phone)
    await expectRefusal(await onTrusted(app, { ...ada, password: 'wrong password' }, token), 'invalid_credentials')
    await expectRefusal(await onTrusted(app, { ...ada, username: 'nobody' }, token), 'invalid_credentials')
    expect((await audit(app, 'login.failed')).length).toBe(2)
    const bea = await app.signUp('bea')
    await app.factors.addApp(bea.id)
    await expectRefusal(await onTrusted(app, bea, token), 'mfa_required')
    for (const other of [`${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`, `${token}A`, 'kwt_', 'x\u0000'])
      await expectRefusal(await onTrusted(app, ada, other), 'mfa_required')
    await app.rows.trustedDevices.change({ userId: ada.id }, { userId: bea.id })
    await expectRefusal(await onTrusted(app, bea, token), 'mfa_required')
  })

  test('F40, F43 every change of factors and of the password ends the trust, and so do the user and a recovery code', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const tablet = await app.factors.addApp(ada.id)
    const [first, second] = await app.factors.makeCodes(ada.id)
    const boss = await app.signUp('boss')
    const admin = async () => {
      const token = (await loggedIn(app, boss)).access_token
      return { token, json: { reason: 'Lost' } }
    }
    await app.admin.giveRole(boss.id, 'admin')
    let password = ada.password
    const ends: Record<string, (token: string) => Promise<unknown>> = {
      'a factor is added': async (token) => enrol(app, token),
      'a factor is removed': async (token) => {
        expect((await remove(app, token, `t${tablet.id}`, { password })).status).toBe(204)
      },
      'a recovery code ends a login': async () =>
        answered(answerLogin(app, { mfa_token: await waitingLogin(app, { ...ada, password }), recovery_code: first })),
      'a recovery code is shown in a session': async (token) =>
        answered(app.request('POST', '/token/step-up', { token, json: { recovery_code: second } })),
      'recovery codes are renewed': async (token) => {
        expect((await renewCodes(app, token)).status).toBe(201)
      },
      'the user changes the password': async (token) => {
        const json = { current_password: password, new_password: 'another good one' }
        expect((await app.request('PUT', '/users/me/password', { token, json })).status).toBe(204)
        password = json.new_password
      },
      'an administrator sets the password': async () => {
        password = 'a third good one'
        await app.admin.setPassword(ada.id, password)
      },
      'the account is deactivated': async () => {
        await app.admin.deactivate(ada.id)
        await app.admin.activate(ada.id)
      },
      'the user logs out everywhere': async (token) => {
        expect((await app.request('DELETE', '/users/me/sessions', { token })).status).toBe(204)
      },
      'the user ends the trust in it': async (token) => {
        const [{ id }] = (await trustedDevices(app, token)) as [{ id: string }]
        const path = `/users/me/trusted-devices/${id}`
        expect((await app.request('DELETE', path, { token })).status).toBe(204)
        await expectRefusal(await app.request('DELETE', path, { token }), 'trusted_device_not_found')
      },
      'the user ends the trust in all': async (token) => {
        for (let at = 0; at < 2; at++)
          expect((await app.request('DELETE', '/users/me/trusted-devices', { token })).status).toBe(204)
      },
      'an administrator removes a factor': async () => {
        const [last] = (await app.rows.totpFactors.all({ userId: ada.id })).slice(-1)
        const path = `/admin/users/${ada.id}/factors/t${last!.id}`
        expect((await app.request('DELETE', path, await admin())).status).toBe(204)
      },
    }
    for (const [what, end] of Object.entries(ends)) {
      const { access_token, trusted_device_token: token } = await trusting(app, { ...ada, password }, phone)
      expect([what, (await onTrusted(app, { ...ada, password }, token)).status]).toEqual([what, 200])
      await end(access_token)
      expect([what, (await onTrusted(app, { ...ada, password }, token)).status]).toEqual([what, 403])
      await app.clock.advance(MINUTE)
    }
    const removed = (await audit(app, 'trusted_device.removed')).map(({ details }) => JSON.parse(details!))
    const id = expect.stringMatching(/^[\w-]{22}$/)
    const used = { all: true, reason: 'recovery_code_used' }
    expect(removed).toEqual([used, used, { device: id }, { all: true, reason: 'by_user' }])
  })

  test('F43 is never of somebody with administrative rights, and never from a recovery code', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const [code] = await app.factors.makeCodes(ada.id)
    const byCode = { mfa_token: await waitingLogin(app, ada), recovery_code: code, trust_device: true }
    expect(await answered(answerLogin(app, byCode))).not.toHaveProperty('trusted_device_token')
    const { trusted_device_token: token } = await trusting(app, ada, phone)
    const roles = [
      { name: 'reader', permissions: 'users:read', requiresSecondFactor: false },
      { name: 'careful', permissions: '', requiresSecondFactor: true },
    ]
    for (const role of roles) await app.rows.roles.add({ ...role, description: '', createdAt: 0 })
    for (const name of ['reader', 'careful', 'admin']) {
      await app.admin.giveRole(ada.id, name)
      await expectRefusal(await onTrusted(app, ada, token), 'mfa_required')
      expect(await trusting(app, ada, phone)).not.toHaveProperty('trusted_device_token')
      await app.rows.userRoles.remove({ userId: ada.id, role: name })
    }
    expect((await onTrusted(app, ada, token)).status).toBe(200)
    // The role `user` counts, which everybody has.
    await app.rows.roles.change({ name: 'user' }, { permissions: 'audit:read' })
    await expectRefusal(await onTrusted(app, ada, token), 'mfa_required')
  })
})
