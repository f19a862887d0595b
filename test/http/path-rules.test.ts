import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTestApp, type TestApp } from '../support/app.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startProxy } from '../support/proxy.ts'
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

const proxies: [string, (port: number, keyward: string, folder: string) => Promise<{ args: string[] }>][] = [
  [
    'nginx',
    async (port, keyward, folder) => {
      const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${join(folder, name)};`)
        .join('\n')
      await Bun.write(
        join(folder, 'proxy.conf'),
        `daemon off;
        master_process off;
        pid ${join(folder, 'nginx.pid')};
        error_log stderr error;
        events {}
        http {
          access_log off;
          ${temp}
          server {
            listen 127.0.0.1:${port};
            location / { proxy_pass ${keyward}; }
            location /metrics { deny all; }
          }
        }`,
      )
      mkdirSync(join(folder, 'logs'))
      return { args: ['nginx', '-e', 'stderr', '-p', folder, '-c', join(folder, 'proxy.conf')] }
    },
  ],
  [
    'haproxy',
    async (port, keyward, folder) => {
      await Bun.write(
        join(folder, 'proxy.conf'),
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
      return { args: ['haproxy', '-db', '-f', join(folder, 'proxy.conf')] }
    },
  ],
]

for (const [name, command] of proxies)
  describe.skipIf(!hasPrograms(name))(`a path rule in ${name}`, () => {
    let keyward: TestApp
    let served: Served
    let proxy: RunningProxy

    beforeAll(async () => {
      keyward = await createTestApp({ env: { METRICS_TOKEN: token } })
      served = serve(keyward)
      const folder = scratchFolder(name)
      // Nothing here needs root.
      const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
      proxy = await startProxy(async (port) => {
        const made = await command(port, served.url, folder)
        if (nobody.uid !== undefined)
          for (const path of ['', 'logs'].map((part) => join(folder, part)))
            if (path === folder || name === 'nginx') chownSync(path, nobody.uid, nobody.gid)
        return { ...nobody, ...made }
      })
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
