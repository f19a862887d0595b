import { expect, test } from 'bun:test'
import { DAY, HOUR } from '../../src/lib/clock.ts'
import { audit, decode, login, refresh } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { waitingLogin } from './support.ts'

/** An administrator with a session at the level of a second factor. */
async function administrator(app: TestApp, name = 'boss'): Promise<{ boss: SignedUp; token: string }> {
  const boss = await app.signUp(name)
  await app.admin.giveRole(boss.id, 'admin')
  const phone = await app.factors.addApp(boss.id)
  const answer = await login(app, boss, { otp: phone.code() })
  return { boss, token: ((await answer.json()) as { access_token: string }).access_token }
}

/** The token of the newest mail. */
async function mailedToken(app: TestApp): Promise<string> {
  await app.process.deliverMail()
  const { mails } = (await (await app.request('GET', '/dev/mailbox.json')).json()) as { mails: { text: string }[] }
  return mails.map(({ text }) => /\/factor-recovery#?\??token=(kwm_[\w-]{43})/.exec(text)?.[1]).find(Boolean)!
}

const kindsOf = async (app: TestApp) => (await app.rows.mails.all()).map(({ kind }) => kind)
const finish = (app: TestApp, json: { token: string; password: string }) =>
  app.request('POST', '/factor-recovery/finish', { json })

describeApp('lost second factors', { env: { REQUIRE_SECOND_FACTOR: 'admins' }, mailbox: true }, (app) => {
  test('F44 an administrator starts a recovery, and the mail and the password together finish it, once', async () => {
    const { boss, token } = await administrator(app)
    const ada = await app.signUp()
    await app.admin.giveRole(ada.id, 'admin')
    await app.factors.addApp(ada.id)
    await app.factors.makeCodes(ada.id)
    const path = `/admin/users/${ada.id}/factor-recovery`
    await expectRefusal(await app.request('POST', `/admin/users/${boss.id}/factor-recovery`, { token }), 'own_account')
    expect((await app.request('POST', path, { token })).status).toBe(202)
    const mailed = await mailedToken(app)
    // Until then, the factor is asked for.
    await waitingLogin(app, ada)
    await expectRefusal(await finish(app, { token: mailed, password: 'wrong password' }), 'invalid_password')
    await expectRefusal(
      await finish(app, { token: `kwm_${'x'.repeat(43)}`, password: ada.password }),
      'invalid_or_expired',
    )
    expect(await app.rows.totpFactors.count({ userId: ada.id })).toBe(1)

    const answers = await Promise.all(
      Array.from({ length: 24 }, () => finish(app, { token: mailed, password: ada.password })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array.from({ length: 23 }, () => 400)])
    expect(await app.rows.totpFactors.count({ userId: ada.id })).toBe(0)
    expect(await app.rows.recoveryCodes.count({ userId: ada.id, usedAt: null })).toBe(0)
    await expectRefusal(await refresh(app, ada.grant.refresh_token!), 'invalid_refresh_token')
    expect((await audit(app, 'factor_recovery.finished')).map(({ userId }) => userId)).toEqual([ada.id])
    expect((await kindsOf(app)).filter((kind) => kind === 'factors_recovered')).toHaveLength(1)
    // The rights of the role wait for a new factor: the recovery gives no grace period.
    const { access_token: weak } = (await (await login(app, ada)).json()) as { access_token: string }
    expect(decode(weak).payload).toMatchObject({ acr: 'aal1', roles: ['user'] })
    await expectRefusal(await app.request('GET', '/admin/users', { token: weak }), 'reauthentication_required')
  })

  test('F44 a link ends after a day and with a new password, and somebody of a lower rank starts none', async () => {
    const { token } = await administrator(app)
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const path = `/admin/users/${ada.id}/factor-recovery`
    await app.request('POST', path, { token })
    const first = await mailedToken(app)
    await app.admin.setPassword(ada.id, 'another good password')
    await expectRefusal(await finish(app, { token: first, password: 'another good password' }), 'invalid_or_expired')
    await app.request('POST', path, { token })
    const second = await mailedToken(app)
    await app.clock.advance(DAY + HOUR)
    await expectRefusal(await finish(app, { token: second, password: 'another good password' }), 'invalid_or_expired')

    await app.rows.roles.add({ name: 'helper', description: '', permissions: 'users:read users:write', createdAt: 0 })
    const helper = await app.signUp('helper')
    await app.admin.giveRole(helper.id, 'helper')
    const boss = await app.rows.users.one({ username: 'boss' })
    for (const [method, at] of [
      ['POST', `/admin/users/${boss.id}/factor-recovery`],
      ['DELETE', `/admin/users/${boss.id}/factors`],
    ] as const) {
      const json = method === 'DELETE' ? { reason: 'Lost' } : undefined
      await expectRefusal(await app.request(method, at, { token: helper.grant.access_token, json }), 'forbidden')
    }
    await expectRefusal(
      await app.request('POST', `/admin/users/${helper.id + 100}/factor-recovery`, {
        token: helper.grant.access_token,
      }),
      'user_not_found',
    )
  })

  test('an administrator removes one factor, or all, with a reason; the sessions end and the owner gets a mail', async () => {
    const { token } = await administrator(app)
    const ada = await app.signUp()
    const [phone, tablet] = [await app.factors.addApp(ada.id), await app.factors.addApp(ada.id)]
    const path = `/admin/users/${ada.id}/factors`
    const listed = (await (await app.request('GET', path, { token })).json()) as { factors: { id: string }[] }
    expect(listed.factors.map(({ id }) => id)).toEqual([`t${phone.id}`, `t${tablet.id}`])
    expect(JSON.stringify(listed)).not.toContain('secret')
    const json = { reason: 'Lost phone' }
    expect((await app.request('DELETE', `${path}/t${phone.id}`, { token, json })).status).toBe(204)
    await expectRefusal(await app.request('DELETE', `${path}/t${phone.id}`, { token, json }), 'factor_not_found')
    await expectRefusal(await refresh(app, ada.grant.refresh_token!), 'invalid_refresh_token')
    await waitingLogin(app, ada)
    const many = await Promise.all(Array.from({ length: 6 }, () => app.request('DELETE', path, { token, json })))
    expect(many.map(({ status }) => status).sort()).toEqual([204, 409, 409, 409, 409, 409])
    expect((await login(app, ada)).status).toBe(200)
    const events = await audit(app, 'factor.reset_by_admin')
    expect(events.map(({ details }) => JSON.parse(details!))).toEqual([
      { factors: `t${phone.id}`, reason: 'Lost phone' },
      { factors: `t${tablet.id}`, reason: 'Lost phone' },
    ])
    expect((await kindsOf(app)).filter((kind) => kind === 'factors_reset')).toHaveLength(2)
  })

  test('commands list and remove factors, and tell who lacks one', async () => {
    const { boss } = await administrator(app)
    const ada = await app.signUp()
    await app.admin.giveRole(ada.id, 'admin')
    await app.signUp('grace')
    await app.factors.makeCodes(boss.id)
    const run = async (line: string) => {
      const { databaseUrl, clock } = app
      const { code, out, err } = await keyward(line.split(' '), { databaseUrl, clock })
      expect([line, code, err]).toEqual([line, 0, ''])
      return out
    }
    expect(JSON.parse(await run('users factors boss --json'))).toMatchObject({
      type: 'totp',
      name: 'Phone',
      usable: true,
    })
    expect(await run('users list --below-policy')).toContain('ada')
    expect(await run('users list --below-policy')).not.toMatch(/boss|grace/)
    expect(await run('users reset-factors boss --passkeys --yes')).toBe('Nothing to do: no such factor of boss\n')
    expect(await run('users reset-factors boss --yes')).toMatch(/^Removed t\d+ of boss\n$/)
    expect(await app.rows.recoveryCodes.count({ userId: boss.id, usedAt: null })).toBe(0)
    expect(await run('users list --below-policy')).toMatch(/boss/)
    const { findings } = JSON.parse(
      (await keyward(['doctor', '--json'], { databaseUrl: app.databaseUrl, clock: app.clock })).out,
    )
    const own = (findings as { check: string }[]).filter(({ check }) => check === 'second_factors')
    expect(own).toMatchObject([
      {
        verdict: 'warning',
        message: 'Without a required second factor: 2 accounts; the grace days are over for 1.',
      },
    ])
  })
})
