import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { CDPSession, Page } from 'playwright-core'
import { hasPrograms } from '../support/programs.ts'
import { openPage, type WatchedPage } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

const password = 'correct horse battery'

type Answer = { status: number; body: Record<string, unknown> & { code?: string; access_token?: string } }

/** In the page: sends JSON, and lets the browser make or use a credential. */
const inPage = `
  window.send = async (path, json, token) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: 'Bearer ' + token }) }
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(json) })
    return { status: answer.status, body: await answer.json() }
  }
  window.add = async (token, kind) => {
    const { body } = await send('/users/me/factors/webauthn/options', { kind }, token)
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(body.options)
    const credential = (await navigator.credentials.create({ publicKey })).toJSON()
    return send('/users/me/factors/webauthn', { challenge_id: body.challenge_id, credential }, token)
  }
  window.use = async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
    return (await navigator.credentials.get({ publicKey })).toJSON()
  }
  window.enter = async () => {
    const { body } = await send('/passkeys/options', {})
    return send('/token/passkey', { credential: await use(body.options) })
  }
`

describe.skipIf(!hasPrograms('chromium'))('passkeys of Chromium, without pages', () => {
  // Without PUBLIC_URL it is the address with the port that the system chose.
  const pages = pagesPerSuite({ PUBLIC_URL: '' })
  let opened: WatchedPage
  let page: Page
  let cdp: CDPSession
  beforeAll(async () => {
    opened = await openPage()
    page = opened.page
    await page.goto(`${pages.url.replace('127.0.0.1', 'localhost')}/docs`)
    await page.evaluate(inPage)
    cdp = await page.context().newCDPSession(page)
    await cdp.send('WebAuthn.enable')
  }, 60_000)
  afterAll(() => opened.close())

  interface Kind {
    isSynced?: boolean
    verifiesUser?: boolean
  }
  const plugIn = async ({ isSynced = true, verifiesUser = true }: Kind = {}): Promise<string> => {
    const options = {
      protocol: 'ctap2',
      transport: verifiesUser ? 'internal' : 'usb',
      hasResidentKey: verifiesUser,
      hasUserVerification: verifiesUser,
      isUserVerified: verifiesUser,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: isSynced,
      defaultBackupState: isSynced,
    } as const
    return (await cdp.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId
  }
  const unplug = (authenticatorId: string) => cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
  const call = (script: string): Promise<Answer> => page.evaluate(script)
  const send = (path: string, json: object) => call(`send(${JSON.stringify(path)}, ${JSON.stringify(json)})`)
  const signUp = async (name: string): Promise<string> => {
    await pages.register(name)
    const form = new URLSearchParams({ username: name, password })
    const answer = await fetch(`${pages.url}/token`, { method: 'POST', body: form })
    return ((await answer.json()) as { access_token: string }).access_token
  }
  const acrOf = ({ body }: Answer) =>
    (JSON.parse(Buffer.from(body.access_token!.split('.')[1]!, 'base64url').toString()) as { acr: string }).acr

  test('a passkey logs in alone; a forged answer and one without its user do not', async () => {
    const token = await signUp('kim')
    const authenticatorId = await plugIn()
    const added = await call(`add('${token}', 'passkey')`)
    expect([added.status, added.body.factor]).toEqual([201, expect.objectContaining({ type: 'passkey', synced: true })])
    const entered = await call('enter()')
    expect([entered.status, acrOf(entered)]).toEqual([200, 'phr'])
    for (const bits of [{ isBogusSignature: true }, { isBadUV: true }, { isBadUP: true }]) {
      await cdp.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...bits })
      expect([bits, (await call('enter()')).body.code]).toEqual([bits, 'invalid_passkey'])
    }
    await cdp.send('WebAuthn.setResponseOverrideBits', { authenticatorId })
    expect((await call('enter()')).status).toBe(200)
    // The browser itself refuses the second registration of one authenticator.
    await expect(call(`add('${(await call('enter()')).body.access_token}', 'passkey')`)).rejects.toThrow(
      'InvalidStateError',
    )
    await unplug(authenticatorId)
  }, 60_000)

  test('a key without a PIN is a second factor after the password', async () => {
    const token = await signUp('lee')
    const authenticatorId = await plugIn({ isSynced: false, verifiesUser: false })
    const added = await call(`add('${token}', 'security_key')`)
    expect([added.status, added.body.factor]).toEqual([
      201,
      expect.objectContaining({ type: 'security_key', synced: false }),
    ])
    const form = new URLSearchParams({ username: 'lee', password })
    const refused = (await (await fetch(`${pages.url}/token`, { method: 'POST', body: form })).json()) as {
      mfa_token: string
      webauthn: object
    }
    const webauthn = await page.evaluate<object>(`use(${JSON.stringify(refused.webauthn)})`)
    const passed = await send('/token/mfa', { mfa_token: refused.mfa_token, webauthn })
    expect([passed.status, acrOf(passed)]).toEqual([200, 'aal2'])
    await unplug(authenticatorId)
  }, 60_000)

  test('a copy of a key that cannot be copied is refused when the other one was used since', async () => {
    const token = await signUp('sam')
    const authenticatorId = await plugIn({ isSynced: false })
    expect((await call(`add('${token}', 'passkey')`)).status).toBe(201)
    expect((await call('enter()')).status).toBe(200)
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
    expect((await call('enter()')).status).toBe(200)
    await unplug(authenticatorId)
    const clone = await plugIn({ isSynced: false })
    await cdp.send('WebAuthn.addCredential', { authenticatorId: clone, credential: credentials[0]! })
    expect((await call('enter()')).body.code).toBe('invalid_passkey')
    await unplug(clone)
  }, 60_000)
})
