import { expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { createBrowser } from '../support/browser.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const redirectUri = 'https://app.example.net/callback'
const user = { username: 'ada', password: 'correct horse battery' }

test('the executable signs a burst of ID tokens in threads, and stops with them', async () => {
  const databaseUrl = `sqlite:///${scratchFolder('burst')}/users.db`
  const keyward = await startBinary({ databaseUrl })
  try {
    const { stdout } = await runBinary(
      ['clients', 'create', 'Burst', '--trusted', '--redirect', redirectUri, '--no-pkce', '--json'],
      { env: { ...serverSettings({ databaseUrl }), BCRYPT_COST: '10' } },
    )
    const { id, secret } = JSON.parse(stdout) as { id: string; secret: string }
    expect((await keyward.request('POST', '/register', { json: { ...user, email: 'ada@example.com' } })).status).toBe(
      201,
    )
    const browser = createBrowser({
      config: { PUBLIC_URL: 'http://localhost:8000' },
      fetch: (request) => {
        const { pathname, search } = new URL(request.url)
        return fetch(new Request(`${keyward.url}${pathname}${search}`, request), { redirect: 'manual' })
      },
    })
    const address = (nonce: string) =>
      `/authorize?${new URLSearchParams({ response_type: 'code', client_id: id, redirect_uri: redirectUri, scope: 'openid', nonce })}`
    await browser.open(address('first'))
    await browser.submit(user, ({ fields }) => 'password' in fields)
    const nonces = Array.from({ length: 16 }, (_, at) => `nonce ${at}`)
    const codes: string[] = []
    for (const nonce of nonces) codes.push((await browser.open(address(nonce))).url.searchParams.get('code')!)
    const threads = () =>
      readdirSync(`/proc/${keyward.pid}/task`).filter(
        (tid) => readFileSync(`/proc/${keyward.pid}/task/${tid}/comm`, 'utf8').trim() === 'Worker',
      ).length
    const exchange = async (code: string) => {
      const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri }
      const headers = { authorization: `Basic ${btoa(`${id}:${secret}`)}` }
      const answer = await keyward.request('POST', '/token', { form, headers })
      return ((await answer.json()) as { id_token: string }).id_token
    }
    const keys = createRemoteJWKSet(new URL(`${keyward.url}/.well-known/jwks.json`))
    const nonceIn = async (token: string) =>
      (await jwtVerify(token, keys, { issuer: 'http://localhost:8000', audience: id, algorithms: ['RS256'] })).payload
        .nonce

    // One alone needs no thread.
    expect(await nonceIn(await exchange(codes[0]!))).toBe('nonce 0')
    expect(threads()).toBe(0)
    const tokens = await Promise.all(codes.slice(1).map(exchange))
    expect(await Promise.all(tokens.map(nonceIn))).toEqual(nonces.slice(1))
    expect(threads()).toBeGreaterThan(0)
    expect(keyward.output()).not.toContain('rsa_thread_failed')
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
  } finally {
    await keyward.stop()
  }
})
