import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { audit, decode, loggedIn, me, refresh, refreshed, sessionIdOf } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail } from '../verification/support.ts'
import { begin, codeOf, confirm, enrol, listed, type Pending, remove, renewCodes, wrongCode } from './support.ts'

describeEachDialect('an authenticator app', (dialect) => {
  const open = appsWithMail()

  test('M5, M6, A14: is added with its first code and removed with the password; each ends the other sessions and is mailed', async () => {
    const { app, sink } = await open(dialect)
    const ada = await app.signUp()
    const other = await loggedIn(app, ada)
    let token = ada.grant.access_token

    const pending = await answered<Pending>(begin(app, token), 201)
    expect(pending).toEqual({
      id: expect.stringMatching(/^t[1-9]\d*$/),
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      uri: `otpauth://totp/Example:ada%40example.com?secret=${pending.secret}&issuer=Example&algorithm=SHA1&digits=6&period=30`,
      qr_svg: expect.stringMatching(
        /^<svg [^>]*><path fill="#fff" [^>]*><path fill="#000" d="[Mhvz0-9 -]+"\/><\/svg>$/,
      ),
      expires_in: 600,
    })
    const nothing = { factors: [], recovery_codes: { remaining: 0, created_at: null }, required: false }
    expect(await listed(app, token)).toEqual(nothing)
    await expectRefusal(await confirm(app, token, pending.id, { code: wrongCode(app, pending.secret) }), 'invalid_code')
    expect(await listed(app, token)).toEqual(nothing)
    expect(await me(app, other.access_token)).toBe(200)

    const phone = await answered<{ access_token: string; refresh_token: string; recovery_codes: string[] }>(
      confirm(app, token, pending.id, { code: codeOf(app, pending.secret) }),
    )
    expect(phone.recovery_codes).toHaveLength(10)
    expect(new Set(phone.recovery_codes).size).toBe(10)
    for (const code of phone.recovery_codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
    // The session goes on, at a higher level, with a new refresh token. The others have ended.
    expect(decode(phone.access_token).payload).toMatchObject({
      sid: sessionIdOf(ada.grant as never),
      amr: ['pwd', 'otp', 'mfa'],
    })
    expect(await me(app, token)).toBe(200)
    expect(await me(app, other.access_token)).toBe(401)
    await expectRefusal(await refresh(app, other.refresh_token), 'invalid_refresh_token')
    expect(decode((await refreshed(app, phone.refresh_token)).access_token).payload.amr).toEqual(['pwd', 'otp', 'mfa'])
    token = phone.access_token
    const list = await listed(app, token)
    expect(list).toEqual({
      factors: [
        {
          id: pending.id,
          type: 'totp',
          name: 'Authenticator app',
          created_at: '2026-01-01T00:00:00.000Z',
          last_used_at: '2026-01-01T00:00:00.000Z',
          usable: true,
        },
      ],
      recovery_codes: { remaining: 10, created_at: '2026-01-01T00:00:00.000Z' },
      required: false,
    })
    // No answer shows the secret or the codes again.
    for (const path of ['/users/me/factors', '/users/me'])
      expect(await (await app.request('GET', path, { token })).text()).not.toContain(pending.secret)

    const tablet = await enrol(app, token, 'Tablet')
    expect(tablet.recovery_codes).toBeUndefined()
    token = tablet.token
    const renamed = await app.request('PATCH', `/users/me/factors/${pending.id}`, {
      token,
      json: { name: 'Old phone' },
    })
    expect([renamed.status, await renamed.json()]).toEqual([200, { ...list.factors[0], name: 'Old phone' }])

    expect((await expectRefusal(await remove(app, token, pending.id), 'validation_failed')).errors).toEqual([
      { field: 'password', message: 'This field is missing' },
    ])
    await expectRefusal(await remove(app, token, pending.id, { password: 'wrong' }), 'invalid_password')
    expect((await listed(app, token)).factors).toHaveLength(2)
    const proof = { password: ada.password }
    expect((await remove(app, token, pending.id, proof)).status).toBe(204)
    await expectRefusal(await remove(app, token, pending.id, proof), 'factor_not_found')
    expect((await listed(app, token)).recovery_codes.remaining).toBe(10)
    expect((await remove(app, token, tablet.id, proof)).status).toBe(204)
    // Recovery codes alone are no second factor.
    expect(await listed(app, token)).toEqual(nothing)
    expect(await app.rows.recoveryCodes.count()).toBe(0)
    await expectRefusal(await renewCodes(app, token), 'no_factor')

    await app.process.deliverMail()
    expect(sink.received.map(({ message }) => message.subject).sort()).toEqual([
      'A second factor was added at Example',
      'A second factor was added at Example',
      'A second factor was removed at Example',
      'A second factor was removed at Example',
    ])
    const texts = sink.received.map(({ message }) => message.text ?? '')
    for (const name of ['Authenticator app', 'Tablet', 'Old phone'])
      expect([name, texts.some((text) => text.includes(name))]).toEqual([name, true])
    const events = (await app.rows.auditEvents.all({ userId: ada.id })).filter(({ event }) =>
      event.startsWith('factor.'),
    )
    expect(events.map(({ event, details }) => [event, details])).toEqual([
      ['factor.enrolled', `{"factor":"${pending.id}","type":"totp"}`],
      ['factor.confirmed', `{"factor":"${pending.id}","type":"totp"}`],
      ['factor.enrolled', `{"factor":"${tablet.id}","type":"totp"}`],
      ['factor.confirmed', `{"factor":"${tablet.id}","type":"totp"}`],
      ['factor.renamed', `{"factor":"${pending.id}"}`],
      ['factor.removed', `{"factor":"${pending.id}","type":"totp"}`],
      ['factor.removed', `{"factor":"${tablet.id}","type":"totp"}`],
    ])
    for (const row of await app.rows.auditEvents.all()) expect(row.details ?? '').not.toContain(pending.secret)
  })

  test('M9: new recovery codes void the former ones, and are mailed', async () => {
    const { app, sink } = await open(dialect)
    const ada = await app.signUp()
    await expectRefusal(await renewCodes(app, ada.grant.access_token), 'no_factor')
    const { token, recovery_codes: first } = await enrol(app, ada.grant.access_token)
    const other = await app.rows.recoveryCodes.all()
    const { codes } = await answered<{ codes: string[] }>(renewCodes(app, token), 201)
    expect(codes).toHaveLength(10)
    expect(codes.filter((code) => first!.includes(code))).toEqual([])
    const macs = (await app.rows.recoveryCodes.all()).map(({ mac }) => mac)
    expect(macs.filter((mac) => other.some((row) => row.mac === mac))).toEqual([])
    expect(macs).toHaveLength(10)
    expect(await audit(app, 'recovery_codes.renewed')).toHaveLength(1)
    await app.process.deliverMail()
    expect(sink.received.map(({ message }) => message.subject)).toContain('Your new recovery codes at Example')
  })
})

describeApp('adding an authenticator app', { env: { MAX_FACTORS_PER_USER: '2' } }, (app) => {
  test('M5: counts for nothing before its first code, drops the one that waited before, and waits ten minutes', async () => {
    const ada = await app.signUp('ada')
    const token = ada.grant.access_token
    const first = await answered<Pending>(begin(app, token), 201)
    const second = await answered<Pending>(begin(app, token, { name: '  Tablet ' }), 201)
    expect(await app.rows.totpFactors.count()).toBe(1)
    await expectRefusal(await confirm(app, token, first.id, { code: codeOf(app, first.secret) }), 'factor_not_found')
    // A user cannot confirm, rename or remove what belongs to another one.
    const bea = await app.signUp('bea')
    const hers = bea.grant.access_token
    const code = codeOf(app, second.secret)
    for (const id of [second.id, 't0', 't', 'x1', 'p1', 't9999999999999999'])
      await expectRefusal(await confirm(app, hers, id, { code }), 'factor_not_found')
    // It cannot be renamed or removed before it counts.
    const proof = { password: ada.password }
    await expectRefusal(await remove(app, token, second.id, proof), 'factor_not_found')
    const rename = (as: string, id: string, name: string) =>
      app.request('PATCH', `/users/me/factors/${id}`, { token: as, json: { name } })
    await expectRefusal(await rename(token, second.id, 'Phone'), 'factor_not_found')

    await app.clock.advance(10 * MINUTE - SECOND)
    const raised = await confirm(app, token, second.id, { code: codeOf(app, second.secret) })
    const { access_token: mine } = (await raised.json()) as { access_token: string }
    expect((await listed(app, mine)).factors).toMatchObject([{ id: second.id, name: 'Tablet' }])
    await expectRefusal(
      await confirm(app, mine, second.id, { code: codeOf(app, second.secret, 1) }),
      'factor_not_found',
    )
    await expectRefusal(await rename(hers, second.id, 'Mine'), 'factor_not_found')
    await expectRefusal(await remove(app, hers, second.id, { password: bea.password }), 'factor_not_found')
    await expectRefusal(await rename(mine, second.id, 'a\nb'), 'validation_failed')
    await expectRefusal(await begin(app, mine, { name: '' }), 'validation_failed')

    const late = await answered<Pending>(begin(app, mine), 201)
    await app.clock.advance(10 * MINUTE)
    await expectRefusal(await confirm(app, mine, late.id, { code: codeOf(app, late.secret) }), 'factor_not_found')
    await app.clock.advance(MINUTE)
    await app.process.cleanUp()
    expect((await app.rows.totpFactors.all()).map(({ confirmedAt }) => confirmedAt !== null)).toEqual([true])
  })

  test('M1, M2, M10: takes codes of one step around now, and the code that confirmed it is used', async () => {
    const ada = await app.signUp()
    let token = ada.grant.access_token
    for (const steps of [-2, 2]) {
      const { id, secret } = await answered<Pending>(begin(app, token), 201)
      await expectRefusal(await confirm(app, token, id, { code: codeOf(app, secret, steps) }), 'invalid_code')
    }
    const now = Math.floor(app.clock.now() / 30_000)
    for (const steps of [-1, 1]) {
      const { id, secret } = await answered<Pending>(begin(app, token), 201)
      const answer = await confirm(app, token, id, { code: codeOf(app, secret, steps) })
      token = (await answered<{ access_token: string }>(Promise.resolve(answer))).access_token
      expect((await app.rows.totpFactors.one({ id: Number(id.slice(1)) })).lastStep).toBe(now + steps)
    }
    // MAX_FACTORS_PER_USER is reached.
    await expectRefusal(await begin(app, token), 'too_many_factors')
  })

  test('M7: takes a code as a text of six ASCII digits only', async () => {
    const token = (await app.signUp()).grant.access_token
    const { id, secret } = await answered<Pending>(begin(app, token), 201)
    const code = codeOf(app, secret)
    const wide = [...code].map((digit) => String.fromCodePoint(digit.codePointAt(0)! + 0xfee0)).join('')
    for (const wrong of [
      Number(code),
      [code],
      null,
      1e5,
      wide,
      ` ${code}`,
      `${code} `,
      `${code}\n`,
      code.slice(1),
      `${code}0`,
      '',
    ])
      await expectRefusal(await confirm(app, token, id, { code: wrong }), 'validation_failed')
    await expectRefusal(await confirm(app, token, id, {}), 'validation_failed')
    expect((await confirm(app, token, id, { code })).status).toBe(200)
  })
})

describeApp('the last factor', { env: { REQUIRE_SECOND_FACTOR: 'admins' } }, (app) => {
  test('F45 stays while a role of the user requires one', async () => {
    const ada = await app.signUp()
    const { id, token } = await enrol(app, ada.grant.access_token)
    const proof = { password: ada.password }
    await app.admin.giveRole(ada.id, 'admin')
    expect((await listed(app, token)).required).toBe(true)
    await expectRefusal(await remove(app, token, id, proof), 'factor_required')
    expect(await listed(app, token)).toMatchObject({ factors: [{ id }], recovery_codes: { remaining: 10 } })
    expect(await audit(app, 'factor.removed')).toEqual([])
    const tablet = await enrol(app, token, 'Tablet')
    expect((await remove(app, tablet.token, id, proof)).status).toBe(204)
    await expectRefusal(await remove(app, tablet.token, tablet.id, proof), 'factor_required')
    await app.rows.userRoles.remove({ userId: ada.id })
    const role = { description: '', permissions: '', createdAt: 0, requiresSecondFactor: true }
    await app.rows.roles.add({ ...role, name: 'support' })
    await app.rows.userRoles.add({ userId: ada.id, role: 'support', grantedAt: 0 })
    await expectRefusal(await remove(app, tablet.token, tablet.id, proof), 'factor_required')
    await app.rows.roles.change({ name: 'support' }, { requiresSecondFactor: false })
    expect((await remove(app, tablet.token, tablet.id, proof)).status).toBe(204)
    expect((await listed(app, tablet.token)).required).toBe(false)
  })

  test('N12: that is the last way to log in stays', async () => {
    const ada = await app.signUp()
    const phone = await enrol(app, ada.grant.access_token)
    const key = {
      userId: ada.id,
      publicKey: 'x',
      alg: -7,
      signCount: 0,
      kind: 'passkey',
      isUvInitialized: true,
    } as const
    const rest = { isBackupEligible: true, isBackedUp: true, aaguid: '', transports: '', createdAt: 0 }
    const add = (credentialId: string, rpId: string) =>
      app.rows.passkeys.add({ ...key, ...rest, credentialId, rpId, name: credentialId })
    await add('one', 'localhost')
    await add('former', 'former.example')
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const [former, one] = (await listed(app, phone.token)).factors.filter(({ type }) => type === 'passkey').reverse()
    expect([former, one]).toMatchObject([
      { name: 'former', usable: false },
      { name: 'one', usable: true },
    ])
    await expectRefusal(await remove(app, phone.token, one!.id), 'last_login_method')
    // A passkey of another domain, and the authenticator app, log nobody in.
    for (const { id } of [former!, { id: phone.id }]) expect((await remove(app, phone.token, id)).status).toBe(204)
    await expectRefusal(await remove(app, phone.token, one!.id), 'last_login_method')
    await add('two', 'localhost')
    expect((await remove(app, phone.token, one!.id)).status).toBe(204)
  })
})
