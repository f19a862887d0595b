import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { keySchema } from '../../src/config/schema.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startProxy } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { type Served, serve } from '../support/socket.ts'

setDefaultTimeout(30_000)

const caddyfile = blocksOf(await readChapter('running')).find(({ language }) => language === 'caddy')!.text

describe.skipIf(!hasPrograms('caddy', 'curl'))(
  'the Caddy configuration of the guide as TLS proxy before Keyward',
  () => {
    const folder = scratchFolder('caddy-tls')
    const root = join(folder, 'caddy', 'pki', 'authorities', 'local', 'root.crt')
    let keyward: TestApp
    let served: Served
    let caddy: RunningProxy
    let ada: SignedUp

    beforeAll(async () => {
      keyward = await createTestApp({
        env: { PUBLIC_URL: 'https://auth.example.com', TRUSTED_PROXIES: '127.0.0.1', RATE_LIMIT: 'on' },
      })
      served = serve(keyward)
      ada = await keyward.signUp('ada')
      caddy = await startProxy(async (port) => {
        const site = caddyfile
          .replace('auth.example.com {', `https://auth.example.com:${port} {`)
          .replace('127.0.0.1:8000', new URL(served.url).host)
        expect(site).toContain(new URL(served.url).host)
        // An authority of the test signs the certificate, and no port other than the test's is opened.
        const options = '{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n'
        await Bun.write(join(folder, 'Caddyfile'), options + site)
        return {
          args: ['caddy', 'run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
          env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
        }
      })
      // Caddy listens before it has the certificate.
      while (!existsSync(root) || (await curl('/livez')).exitCode === 35) await new Promise(setImmediate)
    })
    afterAll(async () => {
      await caddy?.stop()
      await served?.stop()
      await keyward?.close()
    })

    /** A client at 127.0.0.2, so that its address differs from that of the proxy. */
    const curl = async (path: string, ...args: string[]) => {
      const child = Bun.spawn(
        [
          ...['curl', '--silent', '--interface', '127.0.0.2', '--cacert', root],
          ...['--resolve', `auth.example.com:${caddy.port}:127.0.0.1`],
          ...args,
          `https://auth.example.com:${caddy.port}${path}`,
        ],
        { stdout: 'pipe' },
      )
      const [exitCode, text] = await Promise.all([child.exited, child.stdout.text()])
      return { exitCode, text }
    }
    const json = async (path: string, ...args: string[]) => JSON.parse((await curl(path, ...args)).text)

    test('12.D8 a login over TLS gets tokens of the public address, and the session has the address of the client', async () => {
      const form = ['-d', `username=ada&password=${encodeURIComponent(ada.password)}`]
      const forged = ['-H', 'X-Forwarded-For: 203.0.113.9']
      const { access_token: token } = await json('/token', ...form, ...forged)
      const { iss } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
      expect(iss).toBe('https://auth.example.com')
      const sessions = await json('/users/me/sessions', '-H', `Authorization: Bearer ${token}`)
      expect(sessions.find(({ current }: { current: boolean }) => current).ip).toBe('127.0.0.2')
    })

    test('12.D8 a wrong password is counted for the client, not for the proxy', async () => {
      const form = ['-d', 'username=ada&password=wrong', '-o', '/dev/null', '-w', '%{http_code}']
      const statuses = await Promise.all(Array.from({ length: 15 }, () => curl('/token', ...form)))
      expect(statuses.map(({ text }) => text)).toContain('429')
      const other = ['--interface', '127.0.0.3', '-d', `username=ada&password=${encodeURIComponent(ada.password)}`]
      expect(await json('/token', ...other)).toMatchObject({ token_type: 'bearer' })
    })

    test('12.D8 Caddy closes idle connections before Keyward does', () => {
      const [, seconds] = /keepalive (\d+)s/.exec(caddyfile)!
      expect(Number(seconds)).toBeLessThan(Number(keySchema('IDLE_TIMEOUT_SECONDS').default))
    })
  },
)
