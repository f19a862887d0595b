import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { createTestApp, type TestApp } from '../support/app.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startNginx, startProxy } from '../support/proxy.ts'
import { scratchFolder } from '../support/scratch.ts'
import { rawTo, type Served, serve } from '../support/socket.ts'

setDefaultTimeout(30_000)

const token = 'only-for-tests-of-a-path-rule-0123456789'

/** Targets that are `/metrics` only after a URL parser. */
const targets = [
  '/docs/../metrics',
  '/docs/%2e%2e/metrics',
  '/docs/.%2E/metrics',
  '/./metrics',
  '/%2e/metrics',
  '/x\\..\\metrics',
  '/x\\..\\..\\metrics',
  '/x/..\\metrics',
  '/metrics/.',
  '/metrics/x/..',
]

const startHaproxy = (keyward: string): Promise<RunningProxy> =>
  startProxy(async (port) => {
    const config = join(scratchFolder('haproxy'), 'haproxy.conf')
    await Bun.write(
      config,
      `defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend all
  bind 127.0.0.1:${port}
  http-request deny if { path_beg /metrics }
  default_backend keyward
backend keyward
  server keyward ${new URL(keyward).host}
`,
    )
    return { args: ['haproxy', '-db', '-f', config] }
  })

/** Each starts its proxy in front of Keyward, with a rule that denies `/metrics`. */
const starts: [string, (keyward: string) => Promise<RunningProxy>][] = [
  ['nginx', (keyward) => startNginx(`location / { proxy_pass ${keyward}; } location /metrics { deny all; }`)],
  ['haproxy', startHaproxy],
]

for (const [name, start] of starts)
  describe.skipIf(!hasPrograms(name))(`a path rule in ${name}`, () => {
    let keyward: TestApp
    let served: Served
    let proxy: RunningProxy

    beforeAll(async () => {
      keyward = await createTestApp({ env: { METRICS_TOKEN: token } })
      served = serve(keyward)
      proxy = await start(served.url)
    })
    afterAll(async () => {
      await proxy?.stop()
      await served?.stop()
      await keyward?.close()
    })

    const get = (target: string) =>
      rawTo(
        proxy.port,
        `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )

    test('12.A5 holds for every spelling of the path', async () => {
      expect((await get('/livez')).status).toBe(200)
      const direct = await fetch(`${served.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
      expect(await direct.text()).toContain('keyward_')
      expect((await get('/metrics')).status).toBe(403)
      for (const target of targets) {
        const { status, body } = await get(target)
        expect([target, [400, 403, 404].includes(status)]).toEqual([target, true])
        expect(body).not.toContain('keyward_')
      }
    })
  })
