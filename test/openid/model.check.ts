import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { HOUR, SECOND } from '../../src/lib/clock.ts'
import { relyingParty, settle, signIn, user, wholeFlow } from '../conformance/support.ts'
import { createBrowser, type Screen, type TestBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { registerClient } from './support.ts'

const other = { username: 'eve', password: 'correct horse battery' }
const bye = 'https://app.example.net/bye'

/* oidc.md 7.5. Every case of the two tables is small, so all of them run, in the order that fast-check draws. */

const hints = ['none', 'own', 'expired', 'of another user', 'of another client', 'altered'] as const
type Hint = (typeof hints)[number]

describeEachDialect('models of the authorization and of the logout', (dialect) => {
  const env = {
    PUBLIC_URL: 'https://op.example.com',
    ID_TOKEN_MINUTES: '5',
    LIMITS: 'login.right=off,authorize.session=off,account.write=off',
  }
  const app = appPerTest({ dialect, env })

  async function start() {
    for (const { username, password } of [user, other]) await app.signUp(username, password)
    const register = async (name: string) =>
      relyingParty(app, await registerClient(app, { name, requiresPkce: false, postLogoutRedirectUris: [bye] }))
    const [rp, foreign] = [await register('App'), await register('Foreign')]
    const token = async (at: typeof rp, who: typeof user) => {
      const browser = createBrowser(app)
      await browser.open(at.address({ prompt: 'login' }))
      await browser.submit(who, ({ fields }) => 'password' in fields)
      const code = at.answer(await settle(browser, browser.screen())).code!
      return ((await (await at.exchange(code)).json()) as { id_token: string }).id_token
    }
    const expired = await token(rp, user)
    const ofOther = await token(rp, other)
    const ofForeign = await token(foreign, user)
    app.clock.advance(HOUR)
    const own = await token(rp, user)
    const [head, body, signature] = own.split('.')
    const altered = `${head}.${body}.${signature!.startsWith('A') ? 'B' : 'A'}${signature!.slice(1)}`
    const texts: Record<Hint, string | undefined> = {
      none: undefined,
      own,
      expired,
      'of another user': ofOther,
      'of another client': ofForeign,
      altered,
    }
    return { rp, texts }
  }

  const kindOf = (screen: Screen): string => {
    if (screen.isAway)
      return screen.url.searchParams.get('error') ?? (screen.url.searchParams.has('code') ? 'code' : 'away')
    if (screen.forms.some(({ fields }) => 'password' in fields)) return 'sign-in'
    return screen.forms.some(({ fields }) => fields.decision === 'allow') ? 'consent' : 'page'
  }

  const situations = fc.record({
    session: fc.constantFrom('none', 'new', 'old'),
    prompt: fc.constantFrom('', 'none', 'login', 'consent', 'select_account', 'login consent'),
    maxAge: fc.constantFrom(undefined, '0', '60', '100000'),
    isAgreed: fc.boolean(),
    hint: fc.constantFrom(...hints),
  })
  type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never

  /** What OpenID Connect Core section 3.1.2 demands, told apart from the code. */
  function expected({ session, prompt, maxAge, isAgreed, hint }: Situation): string {
    if (hint === 'altered' || hint === 'of another client') return 'invalid_request'
    const age = session === 'new' ? 30 : 3_600
    const mustSignIn =
      session === 'none' ||
      /login|select/.test(prompt) ||
      (maxAge !== undefined && age > Number(maxAge)) ||
      hint === 'of another user'
    if (mustSignIn) return prompt === 'none' ? 'login_required' : 'sign-in'
    if (isAgreed && !prompt.includes('consent')) return 'code'
    return prompt === 'none' ? 'consent_required' : 'consent'
  }

  /** What comes after a sign-in as the user of the session. */
  const afterwards = ({ prompt, isAgreed, hint }: Situation): string =>
    hint === 'of another user' ? 'login_required' : isAgreed && !prompt.includes('consent') ? 'code' : 'consent'

  test('U9: the authorization endpoint answers as the model, in every state of session, prompt, max_age, consent and hint', async () => {
    const { rp, texts } = await start()
    const grant = async () =>
      ((await (await app.request('POST', '/token', { form: user })).json()) as { access_token: string }).access_token
    const property = fc.asyncProperty(situations, async (situation) => {
      const { session, prompt, maxAge, isAgreed, hint } = situation
      const browser: TestBrowser = createBrowser(app)
      await browser.open('/sign-in')
      await browser.submit(user, ({ fields }) => 'password' in fields)
      if (isAgreed) await settle(browser, await browser.open(rp.address()))
      else await app.request('DELETE', `/users/me/consents/${rp.client.id}`, { token: await grant() })
      app.clock.advance((session === 'new' ? 30 : 3_600) * SECOND)
      if (session === 'none') browser.forget()
      const address = rp.address({ prompt: prompt || undefined, max_age: maxAge, id_token_hint: texts[hint] })
      const first = await browser.open(address)
      const got = kindOf(first)
      expect([situation, got]).toEqual([situation, expected(situation)])
      if (got === 'sign-in') {
        app.clock.advance(SECOND)
        expect([situation, kindOf(await signIn(browser, first))]).toEqual([situation, afterwards(situation)])
      }
      if (kindOf(browser.screen()) === 'consent')
        expect([situation, kindOf(await settle(browser, browser.screen()))]).toEqual([situation, 'code'])
    })
    await fc.assert(property, { seed: 20_261_130, numRuns: 60, endOnFailure: true })
  }, 240_000)

  test('U1, U9: a logout answers as the model, in every state of cookie, hint and address', async () => {
    const { rp, texts } = await start()
    const cases = fc.record({
      hasCookie: fc.boolean(),
      hint: fc.constantFrom(...hints),
      address: fc.constantFrom(undefined, bye, `${bye}/`),
    })
    const property = fc.asyncProperty(cases, async (asked) => {
      const { hasCookie, hint, address } = asked
      const browser = createBrowser(app)
      // The hint of the session that the browser has now; for the other hints it is that of another session.
      const { tokens } = await wholeFlow(rp, browser)
      if (hint === 'expired') app.clock.advance(6 * 60 * SECOND)
      if (!hasCookie) browser.forget()
      const isOwn = hint === 'own' || hint === 'expired'
      const sent = {
        id_token_hint: isOwn ? tokens.id_token : texts[hint],
        client_id: rp.client.id,
        post_logout_redirect_uri: address,
        state: 'x',
      }
      const query = new URLSearchParams(
        Object.entries(sent).filter(([, value]) => value !== undefined) as [string, string][],
      )
      const screen = await browser.open(`/end-session?${query}`)
      if (hint === 'of another client') {
        expect([asked, screen.isAway, screen.status]).toEqual([asked, false, 400])
        expect([asked, (await rp.userinfo(tokens.access_token)).status]).toEqual([asked, 200])
        return
      }
      const isGood = hint !== 'none' && hint !== 'altered'
      const mayCall = isGood && address === bye
      const isAsked = hasCookie && !(isOwn && (address === undefined || mayCall))
      expect([asked, screen.forms.length > 0]).toEqual([asked, isAsked])
      const last = isAsked ? await browser.submit() : screen
      expect([asked, last.isAway ? last.url.href : last.status]).toEqual([asked, mayCall ? `${bye}?state=x` : 200])
      const after = rp.answer(await browser.open(rp.address({ prompt: 'none' })))
      expect([asked, after.error]).toEqual([asked, 'login_required'])
      // Without a cookie a hint ends its own session, unless the request names an address that is not registered.
      const ends = hasCookie || (isOwn && (address === undefined || mayCall))
      expect([asked, (await rp.userinfo(tokens.access_token)).status]).toEqual([asked, ends ? 401 : 200])
    })
    await fc.assert(property, { seed: 20_261_130, numRuns: 30, endOnFailure: true })
  }, 240_000)

  test('U3: of N exchanges of a code at once one succeeds, and the next ends that session and no other', async () => {
    const { rp } = await start()
    const browser = createBrowser(app)
    const kept = await wholeFlow(rp, browser)
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 24 }), async (many) => {
      const code = rp.answer(await settle(browser, await browser.open(rp.address()))).code!
      const answers = await Promise.all(Array.from({ length: many }, () => rp.exchange(code)))
      const given = answers.filter(({ status }) => status === 200)
      expect([many, given.length]).toEqual([many, 1])
      for (const answer of answers) if (answer.status !== 200) expect(answer.status).toBe(400)
      const { access_token: token } = (await given[0]!.json()) as { access_token: string }
      expect((await rp.userinfo(token)).status).toBe(many === 1 ? 200 : 401)
      expect((await rp.exchange(code)).status).toBe(400)
      expect((await rp.userinfo(token)).status).toBe(401)
      expect((await rp.userinfo(kept.tokens.access_token)).status).toBe(200)
    })
    await fc.assert(property, { seed: 20_261_130, numRuns: 8, endOnFailure: true })
  }, 240_000)

  test('U3, U9: of exchanges at once with a withdrawal no session is left', async () => {
    const { rp } = await start()
    const browser = createBrowser(app)
    const login = await app.request('POST', '/token', { form: user })
    const { access_token: token } = (await login.json()) as { access_token: string }
    for (let round = 0; round < 3; round++) {
      const codes: string[] = []
      for (let at = 0; at < 8; at++)
        codes.push(rp.answer(await settle(browser, await browser.open(rp.address()))).code!)
      const withdraw = app.request('DELETE', `/users/me/consents/${rp.client.id}`, { token })
      const answers = await Promise.all(codes.map((code) => rp.exchange(code)))
      expect((await withdraw).status).toBe(204)
      for (const answer of answers) {
        expect([200, 400]).toContain(answer.status)
        if (answer.status !== 200) continue
        const { access_token: given } = (await answer.json()) as { access_token: string }
        expect((await rp.userinfo(given)).status).toBe(401)
      }
    }
  }, 60_000)
})
