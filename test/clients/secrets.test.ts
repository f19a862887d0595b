import { expect, test } from 'bun:test'
import { HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { limited, tally } from '../limits/support.ts'
import { describeApp } from '../support/hooks.ts'
import { rejection } from './support.ts'

describeApp('a client secret', {}, (app) => {
  const authenticate = (id: string, secret: string | undefined) =>
    app.admin.clients.authenticate({ id, secret, client: '198.51.100.1', ip: '198.51.100.1' })

  test('15.O14: authenticates its own client only, whole and unchanged, and is stored as a MAC', async () => {
    const { client, secret = '' } = await app.admin.createClient()
    const other = await app.admin.createClient()
    expect(client.id).toMatch(/^kwa_[a-z2-7]{20}$/)
    expect(secret).toMatch(/^kwc_[\w-]{49}$/)
    expect(await authenticate(client.id, secret)).toEqual(client)
    for (const wrong of [
      undefined,
      '',
      other.secret,
      secret.slice(0, -1),
      secret.slice(0, 47),
      `${secret}x`,
      secret.toUpperCase(),
      ` ${secret}`,
    ])
      expect(await rejection(authenticate(client.id, wrong))).toBe('invalid_client')
    for (const id of [
      '',
      'keyward',
      'kwa_',
      `${client.id}a`,
      client.id.toUpperCase(),
      '\0',
      'kwa_aaaaaaaaaaaaaaaaaaaa',
    ])
      expect(await rejection(authenticate(id, secret))).toBe('invalid_client')
    const [row] = await app.rows.clientSecrets.all({ clientId: client.id })
    expect(row).toMatchObject({ hint: secret.slice(-4), revokedAt: null })
    expect(JSON.stringify(await app.rows.clientSecrets.all())).not.toContain(secret.slice(4, 20))
  })

  test('15.O14: ends when it is revoked, expires, or its client is disabled', async () => {
    const { client, secret: first = '' } = await app.admin.createClient()
    const end = app.clock.now() + HOUR
    const second = await app.admin.clients.addSecret(client.id, { othersExpireAt: end })
    expect(await rejection(app.admin.clients.addSecret(client.id, {}))).toBe('too_many_secrets')
    await authenticate(client.id, first)
    await app.clock.advance(HOUR)
    expect(await rejection(authenticate(client.id, first))).toBe('invalid_client')
    // The place of an expired secret is free.
    const third = await app.admin.clients.addSecret(client.id, { expiresAt: app.clock.now() + HOUR })
    await authenticate(client.id, third.text)
    await app.admin.clients.revokeSecret(client.id, second.id)
    expect(await rejection(authenticate(client.id, second.text))).toBe('invalid_client')
    expect(await rejection(app.admin.clients.revokeSecret(client.id, second.id))).toBe('client_secret_not_found')
    await app.admin.clients.update(client.id, { isEnabled: false })
    expect(await rejection(authenticate(client.id, third.text))).toBe('invalid_client')
    await app.admin.clients.update(client.id, { isEnabled: true })
    await authenticate(client.id, third.text)
  })

  test('15.U6: a public client has none, and is refused if it sends one', async () => {
    const { client, secret } = await app.admin.createClient({ isPublic: true })
    expect(secret).toBeUndefined()
    expect(await authenticate(client.id, undefined)).toEqual(client)
    expect(await rejection(authenticate(client.id, ''))).toBe('invalid_client')
    expect(await rejection(app.admin.clients.addSecret(client.id, {}))).toBe('client_is_public')
  })

  test('15.O14: of 24 made at once, at most two are live', async () => {
    const { client } = await app.admin.createClient()
    const made = await Promise.all(
      Array.from({ length: 24 }, () =>
        app.admin.clients.addSecret(client.id, {}).then(
          () => 'made',
          (error) => error.code,
        ),
      ),
    )
    expect(tally(made)).toEqual({ made: 1, too_many_secrets: 23 })
    expect(await app.rows.clientSecrets.count({ clientId: client.id })).toBe(2)
  })
})

describeApp('a wrong client secret', limited(), (app) => {
  const authenticate = (id: string, secret: string, client = '198.51.100.1') =>
    rejection(app.admin.clients.authenticate({ id, secret, client, ip: client }))

  test('15.O14: alone counts, per client and network, and never stops the right one', async () => {
    const { client, secret = '' } = await app.admin.createClient()
    const other = await app.admin.createClient()
    for (let i = 0; i < 12; i++) expect(await authenticate(client.id, secret)).toBeUndefined()
    for (let i = 0; i < 10; i++) expect(await authenticate(client.id, 'kwc_wrong')).toBe('invalid_client')
    expect(await authenticate(client.id, 'kwc_wrong')).toBe('rate_limited')
    expect(await authenticate(client.id, secret)).toBeUndefined()
    expect(await authenticate(other.client.id, 'kwc_wrong')).toBe('invalid_client')
    expect(await authenticate(client.id, 'kwc_wrong', '203.0.113.1')).toBe('invalid_client')
    // Unknown clients share a bucket.
    for (let i = 0; i < 10; i++)
      expect(await authenticate(`kwa_${'a'.repeat(19)}${'abcdefghij'[i]}`, 'x')).toBe('invalid_client')
    expect(await authenticate('anything', 'x')).toBe('rate_limited')
    await app.clock.advance(MINUTE + SECOND)
    expect(await authenticate(client.id, 'kwc_wrong')).toBe('invalid_client')
  })
})
