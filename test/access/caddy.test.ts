import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { hasPrograms, hasPythonModules, PYTHON } from '../support/programs.ts'
import { type RunningProxy, startProxy } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { rawTo, type Served, serve } from '../support/socket.ts'

setDefaultTimeout(30_000)

const blocks = blocksOf(await readChapter('protecting-services'))
const caddyfile = blocks.find(({ language }) => language === 'caddy')!.text
const traefik = blocks.find(({ text }) => text.includes('authResponseHeadersRegex'))!.text
const names = ['User', 'Preferred-Username', 'Email', 'Groups', 'Acr', 'Access-Token'].map(
  (name) => `X-Auth-Request-${name}`,
)

/** Every spelling of a header with `-` or another of the characters between its words, in three cases. */
const spellings = (name: string, others: string): string[] => {
  const [first, ...rest] = name.split('-')
  const joined = rest.reduce(
    (made, word) => made.flatMap((text) => [...'-', ...others].map((character) => text + character + word)),
    [first!],
  )
  return joined.flatMap((text) => [text, text.toLowerCase(), text.toUpperCase()])
}
const hostile = names.flatMap((name) => spellings(name, '_'))

/** A WSGI app, which as CGI knows no difference between `-` and `_`, and answers what it was told. */
const app = `
import json, sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {name: value for name, value in environ.items() if name.startswith("HTTP_X_AUTH")}
    return [json.dumps(told).encode()]

make_server("127.0.0.1", int(sys.argv[1]), app, handler_class=Quiet).serve_forever()
`

const runnable = hasPrograms('caddy') && hasPythonModules('wsgiref')

describe.skipIf(!runnable)('the Caddy configuration of the guide before a WSGI app', () => {
  let keyward: TestApp
  let served: Served
  let upstream: RunningProxy
  const caddies: RunningProxy[] = []
  let ada: SignedUp

  const startCaddy = async (uri: string) => {
    const folder = scratchFolder('caddy')
    const caddy = await startProxy(async (port) => {
      const site = caddyfile
        .replace('app.example.com {', `http://127.0.0.1:${port} {`)
        .replace('keyward:8000', new URL(served.url).host)
        .replace('app:3000', new URL(upstream.url).host)
        .replace('uri /forward-auth', `uri ${uri}`)
      await Bun.write(join(folder, 'Caddyfile'), `{\n\tadmin off\n\tauto_https off\n}\n${site}`)
      return {
        args: ['caddy', 'run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
        env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      }
    })
    caddies.push(caddy)
    return caddy
  }

  beforeAll(async () => {
    keyward = await createTestApp()
    served = serve(keyward)
    ada = await keyward.signUp('ada')
    upstream = await startProxy(async (port) => ({ args: [PYTHON, '-c', app, String(port)] }))
  })
  afterAll(async () => {
    for (const caddy of caddies) await caddy.stop()
    await upstream?.stop()
    await served?.stop()
    await keyward?.close()
  })

  const told = async ({ port }: RunningProxy, lines: readonly string[]) => {
    const { status, body } = await rawTo(
      port,
      `GET /orders HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n` +
        `Authorization: Bearer ${ada.grant.access_token}\r\n${lines.map((name) => `${name}: mallory\r\n`).join('')}\r\n`,
    )
    expect(status).toBe(200)
    return JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)) as Record<string, string>
  }

  test('12.A6 drops every spelling of the headers that the app folds together', async () => {
    const caddy = await startCaddy('/forward-auth')
    expect(hostile.length).toBeGreaterThan(150)
    // A request with all of them is longer than Caddy's clients may send to the app at once.
    for (const name of names) {
      const seen = await told(caddy, spellings(name, '_'))
      expect(JSON.stringify(seen)).not.toContain('mallory')
      expect(seen).toMatchObject({
        HTTP_X_AUTH_REQUEST_USER: String(ada.id),
        HTTP_X_AUTH_REQUEST_PREFERRED_USERNAME: 'ada',
        HTTP_X_AUTH_REQUEST_GROUPS: 'user',
      })
    }
    for (const one of hostile)
      expect([one, JSON.stringify(await told(caddy, [one])).includes('mallory')]).toEqual([one, false])
  })

  test('12.A6 passes on the token of ?token=1', async () => {
    const caddy = await startCaddy('/forward-auth?token=1')
    const { HTTP_X_AUTH_REQUEST_ACCESS_TOKEN: token } = await told(caddy, hostile.slice(-20))
    expect(token!.split('.')).toHaveLength(3)
  })
})

test('12.A6 the expression for Traefik matches every spelling, and nothing else', () => {
  const [, expression] = /authResponseHeadersRegex: '\(\?i\)(.+)'/.exec(traefik)!
  const pattern = new RegExp(expression!, 'i')
  for (const name of names)
    for (const one of spellings(name, '_.~')) expect([one, pattern.test(one)]).toEqual([one, true])
  for (const other of ['X-Forwarded-For', 'Authorization', 'X-Auth', 'XX-Auth-Request-User', 'X-Request-Id'])
    expect([other, pattern.test(other)]).toEqual([other, false])
})
