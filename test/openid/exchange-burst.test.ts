import { expect, test } from 'bun:test'
import { decodeProtectedHeader } from 'jose'
import { checkIdToken, issuer, relyingParty, settle, type Tokens, user } from '../conformance/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { registerClient } from './support.ts'

describeEachDialect('many exchanges at once', (dialect) => {
  const app = appPerTest({ dialect, env: { PUBLIC_URL: issuer, RATE_LIMIT: 'off' } })

  test('give each client its own ID token, also while the key changes', async () => {
    await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false, isTrusted: true })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    await settle(browser, await browser.open(rp.address()))
    const codeFor = async (nonce: string) => rp.answer(await browser.open(rp.address({ nonce }))).code!
    const nonces = Array.from({ length: 24 }, (_, at) => `nonce ${at}`)
    const codes: string[] = []
    for (const nonce of nonces) codes.push(await codeFor(nonce))

    const kidOf = ({ id_token: token }: Tokens) => decodeProtectedHeader(token!).kid
    const before = kidOf((await (await rp.exchange(await codeFor('before'))).json()) as Tokens)
    const exchanging = codes.map((code) => rp.exchange(code))
    const [answers] = await Promise.all([Promise.all(exchanging), app.keys.rotate({ early: true, idTokens: 'RS256' })])
    for (const [at, answer] of answers.entries()) {
      expect(answer.status).toBe(200)
      const tokens = (await answer.json()) as Tokens
      await checkIdToken(app, { tokens, client, nonce: nonces[at] })
    }
    const code = await codeFor('after')
    const tokens = (await (await rp.exchange(code)).json()) as Tokens
    await checkIdToken(app, { tokens, client, nonce: 'after' })
    expect(kidOf(tokens)).not.toBe(before)
  })
})
