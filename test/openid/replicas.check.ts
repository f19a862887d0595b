import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { type Answer, settle, state128, type Tokens, user } from '../conformance/support.ts'
import { createTestApp } from '../support/app.ts'
import { type RunningBinary, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { createBrowser } from '../support/browser.ts'
import { manualClock } from '../support/clock.ts'
import { dialects } from '../support/dialects.ts'
import { registerClient } from './support.ts'

setDefaultTimeout(120_000)

const issuer = 'http://localhost:8000'
const postgresql = dialects.find(({ name }) => name === 'postgresql')

describe.skipIf(postgresql === undefined)('15 two replicas of the executable on PostgreSQL', () => {
  const client = { id: '', secret: '', redirectUri: 'https://app.example.net/callback' }
  let databaseUrl = ''
  let one: RunningBinary
  let two: RunningBinary

  beforeAll(async () => {
    databaseUrl = (await postgresql!.databaseUrl()).url
    const first = await createTestApp({ databaseUrl, clock: manualClock(Date.now()), env: { PUBLIC_URL: issuer } })
    await first.signUp(user.username, user.password)
    Object.assign(client, await registerClient(first, { requiresPkce: false }))
    await first.close()
    one = await startBinary({ databaseUrl })
    two = await startBinary({ databaseUrl })
  }, 120_000)
  afterAll(async () => {
    await one?.stop()
    await two?.stop()
  })

  /** A browser whose requests go to these replicas in turn, as those of a load balancer. */
  function browserAt(...replicas: RunningBinary[]) {
    let turn = 0
    const fetch = (request: Request) => {
      const { url } = replicas[turn++ % replicas.length]!
      const { pathname, search } = new URL(request.url)
      return globalThis.fetch(new Request(`${url}${pathname}${search}`, request), { redirect: 'manual' })
    }
    return createBrowser({ config: { PUBLIC_URL: issuer }, fetch } as never)
  }
  const address = (changed: Record<string, string> = {}) => {
    const usual = { client_id: client.id, redirect_uri: client.redirectUri, response_type: 'code' }
    return `/authorize?${new URLSearchParams({ ...usual, scope: 'openid offline_access', state: state128, ...changed })}`
  }
  async function answerOf(
    browser: ReturnType<typeof browserAt>,
    changed: Record<string, string> = {},
  ): Promise<Answer> {
    const { url, isAway, title } = await settle(browser, await browser.open(address(changed)))
    if (!isAway) throw new Error(`No answer but the page ${title}`)
    return Object.fromEntries(url.searchParams)
  }
  const post = (at: RunningBinary, form: Record<string, string>) =>
    at.request('POST', '/token', { form, headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` } })
  const exchange = (at: RunningBinary, code: string) =>
    post(at, { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri })
  const refresh = (at: RunningBinary, token: string) => post(at, { grant_type: 'refresh_token', refresh_token: token })
  const userinfo = async (at: RunningBinary, token: string) => (await at.request('GET', '/userinfo', { token })).status
  const tokensOf = async (response: Response): Promise<Tokens> => {
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as Tokens
  }
  /** Verifies an ID token with the keys that a replica publishes. */
  async function verified(at: RunningBinary, { id_token: token }: Tokens) {
    const keys = (await (await at.request('GET', '/.well-known/jwks.json')).json()) as JSONWebKeySet
    const { payload, protectedHeader } = await jwtVerify(token!, createLocalJWKSet(keys), {
      issuer,
      audience: client.id,
    })
    return { ...payload, kid: protectedHeader.kid }
  }

  test('every request of a sign-in may go to another replica: code from one, token at the other', async () => {
    const { code, state } = await answerOf(browserAt(one, two))
    expect(state).toBe(state128)
    const tokens = await tokensOf(await exchange(two, code!))
    expect(await userinfo(one, tokens.access_token)).toBe(200)
    expect(await verified(one, tokens)).toMatchObject({ iss: issuer })
    const again = await tokensOf(await refresh(one, tokens.refresh_token!))
    expect(await userinfo(two, again.access_token)).toBe(200)
  })

  test('of 24 exchanges at once at both replicas one succeeds, and the others end its session', async () => {
    const { code } = await answerOf(browserAt(two, one))
    const answers = await Promise.all(Array.from({ length: 24 }, (_, at) => exchange(at % 2 ? one : two, code!)))
    const made = answers.filter(({ status }) => status === 200)
    expect(made).toHaveLength(1)
    const tokens = (await made[0]!.json()) as Tokens
    for (const response of answers.filter((one) => one !== made[0]))
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([400, 'invalid_grant'])
    for (const at of [one, two]) expect(await userinfo(at, tokens.access_token)).toBe(401)
    expect((await refresh(one, tokens.refresh_token!)).status).toBe(400)
  })

  test('the keys rotate between code and token, and between token and refresh', async () => {
    const { code } = await answerOf(browserAt(one, two))
    const rotate = async () => {
      const env = serverSettings({ databaseUrl, args: [] })
      for (const slot of [[], ['--id-tokens', 'RS256']]) {
        const { exitCode, stderr } = await runBinary(['signing-keys', 'rotate', '--now', ...slot], { env })
        if (exitCode !== 0) throw new Error(stderr)
      }
    }
    await rotate()
    const tokens = await tokensOf(await exchange(two, code!))
    for (const at of [one, two]) {
      expect(await userinfo(at, tokens.access_token)).toBe(200)
      expect(await verified(at, tokens)).toMatchObject({ iss: issuer })
    }
    await rotate()
    const again = await tokensOf(await refresh(one, tokens.refresh_token!))
    for (const at of [one, two])
      for (const one of [tokens, again]) {
        expect(await userinfo(at, one.access_token)).toBe(200)
        expect(await verified(at, one)).toMatchObject({ iss: issuer })
      }
  })

  test('one is killed between code and token, and after a refresh whose answer is lost: the other goes on', async () => {
    const browser = browserAt(two)
    const first = await tokensOf(await exchange(one, (await answerOf(browser)).code!))
    const { code } = await answerOf(browserAt(one))
    const lost = await tokensOf(await refresh(one, first.refresh_token!))
    one.signal('SIGKILL')
    await one.exited

    const tokens = await tokensOf(await exchange(two, code!))
    expect(await userinfo(two, tokens.access_token)).toBe(200)
    // The client has not seen the answer of the dead replica, so it asks again with the same refresh token.
    const retried = await tokensOf(await refresh(two, first.refresh_token!))
    expect(retried.refresh_token).toBe(lost.refresh_token!)
    expect(await userinfo(two, retried.access_token)).toBe(200)
    expect((await answerOf(browser, { prompt: 'none' })).code).toBeString()

    const query = new URLSearchParams({ id_token_hint: retried.id_token ?? first.id_token! })
    expect((await browser.open(`/end-session?${query}`)).status).toBe(200)
    expect(await answerOf(browser, { prompt: 'none' })).toMatchObject({ error: 'login_required' })
  })
})
