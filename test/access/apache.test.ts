import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { introspectionKey } from '../sessions/support.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { manualClock } from '../support/clock.ts'
import { hasPrograms } from '../support/programs.ts'
import { apacheModules, type RunningProxy, startApache } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { type Served, serve } from '../support/socket.ts'

setDefaultTimeout(60_000)

const [asking, verifying] = blocksOf(await readChapter('protecting-services'))
  .filter(({ language }) => language === 'apache')
  .map(({ text }) => text)
const issuer = 'https://auth.example.com'
const hasApache =
  hasPrograms('/usr/sbin/apache2', 'openssl') &&
  (process.env.CI === 'true' || existsSync(`${apacheModules}/mod_auth_openidc.so`))

describe.skipIf(!hasApache)('the Apache configuration of the guide, run by an unprivileged user', () => {
  let keyward: TestApp
  let served: Served
  let tls: Bun.Server<undefined>
  let upstream: Bun.Server<undefined>
  let key = ''
  let bundle = ''
  let ada: SignedUp
  const running: RunningProxy[] = []

  beforeAll(async () => {
    // The module compares `exp` with the time of the machine.
    keyward = await createTestApp({ clock: manualClock(Date.now()), env: { PUBLIC_URL: issuer } })
    const folder = scratchFolder('certificate')
    bundle = join(folder, 'tls.crt')
    const keyFile = join(folder, 'tls.key')
    const made = Bun.spawnSync(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${keyFile} -out ${bundle}`.split(
        ' ',
      ),
    )
    expect(made.exitCode).toBe(0)
    served = serve(keyward)
    // The module calls https addresses only. Keyward is behind a TLS proxy, as the guide says.
    tls = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { key: Bun.file(keyFile), cert: Bun.file(bundle) },
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url)
        const { method, headers } = request
        return fetch(served.url + pathname + search, {
          method,
          headers,
          body: method === 'GET' ? undefined : await request.bytes(),
        })
      },
    })
    key = await introspectionKey(keyward)
    ada = await keyward.signUp('ada')
    upstream = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url, headers }) => Response.json({ path: new URL(url).pathname, headers: [...headers] }),
    })
  })
  afterAll(async () => {
    for (const one of running) await one.stop()
    await upstream?.stop(true)
    await tls?.stop(true)
    await served?.stop()
    await keyward?.close()
  })

  /** Runs the block, with the addresses of this test. The issuer that it requires stays. */
  const start = async (block: string, replaced = '') => {
    const directives = block
      .replaceAll(`${issuer}/`, `https://localhost:${tls.port}/`)
      .replaceAll('http://app:3000/', `http://127.0.0.1:${upstream.port}/`)
      .replace('the-API-key', key)
    const apache = await startApache(
      ['proxy', 'proxy_http', 'auth_openidc'],
      `OIDCCABundlePath ${bundle}\n${replaced === '' ? directives : directives.replaceAll(issuer, replaced)}`,
    )
    running.push(apache)
    const hostile = ['roles', 'sub', 'username', 'email'].flatMap((name) =>
      [`OIDC_CLAIM_${name}`, `OIDC-CLAIM-${name}`, `oidc-claim_${name}`].map((spelled) => [spelled, 'mallory']),
    ) as [string, string][]
    const ask = (path: string, token?: string) =>
      fetch(`${apache.url}${path}`, {
        headers: [
          ...hostile,
          ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as [string, string]]),
        ],
      })
    return { ask, log: apache.log }
  }
  const told = async (response: Response): Promise<Record<string, string>> => {
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).not.toContain('mallory')
    return Object.fromEntries((JSON.parse(text) as { headers: [string, string][] }).headers)
  }
  const caller = () => ({ oidc_claim_sub: String(ada.id), oidc_claim_username: 'ada', oidc_claim_roles: 'user' })

  test('12.B8 M4: introspection lets through live sessions only, names the caller, and requires a role', async () => {
    const { ask, log } = await start(asking!)
    for (const token of [undefined, 'x', ada.grant.refresh_token, key])
      expect([token, (await ask('/orders', token)).status]).toEqual([token, 401])
    expect(await told(await ask('/orders', ada.grant.access_token))).toMatchObject(caller())
    expect((await ask('/admin', ada.grant.access_token)).status).toBe(401)
    await keyward.admin.giveRole(ada.id, 'admin')
    expect(await told(await ask('/admin', ada.grant.access_token))).toMatchObject({ oidc_claim_roles: 'admin,user' })
    const bea = await keyward.signUp('bea')
    expect((await ask('/orders', bea.grant.access_token)).status).toBe(200)
    await keyward.request('POST', '/logout', { token: bea.grant.access_token })
    expect((await ask('/orders', bea.grant.access_token)).status).toBe(401)
    expect(await log()).not.toContain(ada.grant.access_token.slice(0, 99))
  })

  test('12.B8 M4: verification by the keys requires issuer and audience', async () => {
    const { ask, log } = await start(verifying!)
    const token = ada.grant.access_token
    const proxyToken = (await keyward.request('GET', '/forward-auth?token=1', { token })).headers.get(
      'x-auth-request-access-token',
    )!
    for (const refused of [undefined, 'x', `${token.slice(0, -4)}AAAA`, proxyToken])
      expect((await ask('/orders', refused)).status).toBe(401)
    const { oidc_claim_sub, oidc_claim_username } = await told(await ask('/orders', token))
    expect({ oidc_claim_sub, oidc_claim_username }).toEqual({
      oidc_claim_sub: String(ada.id),
      oidc_claim_username: 'ada',
    })
    expect(await log()).not.toContain(token.slice(0, 99))
    const elsewhere = await start(verifying!, 'https://other.example')
    expect((await elsewhere.ask('/orders', token)).status).toBe(401)
  })
})
