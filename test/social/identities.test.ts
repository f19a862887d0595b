import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail } from '../verification/support.ts'
import { addProvider, identityOf, outcome, visit } from './linking-support.ts'

interface View {
  id: number
  provider: string
}

describeEachDialect('the identities of a user', (dialect) => {
  const open = appsWithMail()

  test('L8: are listed, exported, removed after a fresh login and deleted with the account; the last one stays', async () => {
    const { app, sink } = await open(dialect)
    const { social } = app.admin
    for (const name of ['hub', 'lab', 'off']) await addProvider(app, name)
    const ada = await app.signUp('ada')
    const token = ada.grant.access_token
    const user = await app.admin.user(ada.id)
    for (const provider of ['hub', 'lab', 'off'])
      await social.linkOwn({
        identity: identityOf('ada', { provider, subject: `of-${provider}` }),
        user,
        ip: '192.0.2.7',
      })
    const list = () => answered<View[]>(app.request('GET', '/users/me/identities', { token }))
    const remove = (id: number | string, json?: object) =>
      app.request('DELETE', `/users/me/identities/${id}`, { token, ...(json && { json }) })
    const [hub, lab, off] = await list()
    expect(hub).toEqual({
      id: expect.any(Number),
      provider: 'hub',
      email: 'ada@example.com',
      created_at: expect.any(String),
      last_used_at: expect.any(String),
    } as never)
    const exported = await answered<{ identities: object[] }>(
      app.request('POST', '/users/me/export', { token, json: {} }),
    )
    expect(exported.identities).toHaveLength(3)
    expect(exported.identities[0]).toMatchObject({ provider: 'hub', subject: 'of-hub' })

    await app.clock.advance(16 * MINUTE)
    await expectRefusal(await remove(hub!.id), 'reauthentication_required')
    await expectRefusal(await remove(hub!.id, { password: 'wrong' }), 'invalid_password')
    const proof = { password: ada.password }
    const bea = await app.signUp('bea')
    await expectRefusal(
      await app.request('DELETE', `/users/me/identities/${hub!.id}`, { token: bea.grant.access_token }),
      'identity_not_found',
    )
    await expectRefusal(await remove('x', proof), 'identity_not_found')
    expect((await remove(hub!.id, proof)).status).toBe(204)
    await expectRefusal(await remove(hub!.id, proof), 'identity_not_found')

    // Without a password, an identity of a provider that is switched off is no way to log in.
    await social.updateProvider('off', { isEnabled: false })
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const cli = (id: number) =>
      keyward(['users', 'unlink', 'ada', String(id), '--dev'], { databaseUrl: app.databaseUrl })
    const refused = await cli(lab!.id)
    expect([refused.code, refused.err]).toEqual([1, 'Nothing else signs this user in: set a password first\n'])
    expect((await cli(off!.id)).out).toBe(`Removed the identity ${off!.id} of ada\n`)
    const listed = await keyward(['users', 'identities', 'ada', '--dev'], { databaseUrl: app.databaseUrl })
    expect(
      listed.out
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/ +/)[1]),
    ).toEqual(['lab', undefined] as never)

    await app.process.deliverMail()
    const subjects = sink.received.map(({ message }) => message.subject)
    expect(subjects.filter((one) => one === 'The hub no longer signs you in to Example')).toHaveLength(1)
    const events = (await app.rows.auditEvents.all()).filter(({ event }) => event === 'identity.unlinked')
    expect(events.map(({ userId }) => userId)).toEqual([ada.id, ada.id])

    await app.admin.deleteUser(ada.id)
    expect(await app.rows.identities.count()).toBe(0)
    // The identity is a stranger's again.
    expect(await outcome(social.arrive(identityOf('ada', { provider: 'lab', subject: 'of-lab' }), visit))).toStartWith(
      'done ada',
    )
  })

  test('L8: of two parallel removals without a password, one identity stays', async () => {
    const { app } = await open(dialect)
    const { social } = app.admin
    for (const name of ['hub', 'lab']) await addProvider(app, name)
    const ada = await app.signUp('ada')
    const user = await app.admin.user(ada.id)
    for (const provider of ['hub', 'lab'])
      await social.linkOwn({
        identity: identityOf('ada', { provider, subject: `of-${provider}` }),
        user,
        ip: '192.0.2.7',
      })
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const token = ada.grant.access_token
    const ids = (await app.rows.identities.all()).map(({ id }) => id)
    const answers = await Promise.all(ids.map((id) => app.request('DELETE', `/users/me/identities/${id}`, { token })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409])
    expect(await app.rows.identities.count()).toBe(1)

    // A passkey is a way to log in. A security key, and a passkey of another domain, are not.
    const { id } = await app.rows.identities.one()
    const key = { userId: ada.id, publicKey: 'x', alg: -7, signCount: 0, name: 'Key', aaguid: '', transports: '' }
    const add = (kind: 'passkey' | 'security_key', rpId: string) =>
      app.rows.passkeys.add({
        ...key,
        credentialId: `${kind} ${rpId}`,
        kind,
        rpId,
        isUvInitialized: true,
        isBackupEligible: true,
        isBackedUp: true,
        createdAt: 0,
      })
    await add('security_key', 'auth.example.com')
    await add('passkey', 'former.example')
    await expect(social.unlink(user, String(id))).rejects.toMatchObject({ code: 'last_login_method' })
    await add('passkey', 'auth.example.com')
    await social.unlink(user, String(id))
    expect(await app.rows.identities.count()).toBe(0)
  })
})
