import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createTestApp, type TestApp } from '../support/app.ts'
import { manualClock } from '../support/clock.ts'
import { appPerSuite } from '../support/hooks.ts'
import { hasPythonModules, python } from '../support/programs.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { type Served, serve } from '../support/socket.ts'
import { decode } from './support.ts'

setDefaultTimeout(60_000)

const root = join(import.meta.dir, '..', '..')
const blocks = blocksOf(await readChapter('protecting-services'))

/** The guide's block in this language that has `part`, with the address of the Keyward under test. */
function blockOf(language: string, url: string, part = ''): string {
  const [block, ...more] = blocks.filter((one) => one.language === language && one.text.includes(part))
  expect(more).toEqual([])
  return block!.text.replaceAll('http://localhost:8000/.well-known', `${url}/.well-known`)
}

const proxyTokenOf = async (app: TestApp, token: string): Promise<string> =>
  (await app.request('GET', '/forward-auth?token=1', { token })).headers.get('x-auth-request-access-token')!

/** Authorization headers that a verifying service must tell apart, with the expected result of each. */
async function headers(app: TestApp): Promise<[header: string, status: number][]> {
  const ada = await app.signUp('ada')
  const other = await createTestApp({ clock: app.clock, seed: 'other', env: { JWT_AUDIENCE: 'https://other.example' } })
  const late = await createTestApp({
    databaseUrl: app.databaseUrl,
    clock: manualClock(Date.now() - 3_600_000),
    seed: 'late',
  })
  const ahead = await createTestApp({
    databaseUrl: app.databaseUrl,
    clock: manualClock(Date.now() + 5_000),
    seed: 'ahead',
  })
  const elsewhere = await createTestApp({
    databaseUrl: app.databaseUrl,
    clock: app.clock,
    seed: 'aud',
    env: { JWT_AUDIENCE: 'https://other.example' },
  })
  const tokenOf = async (one: TestApp) => {
    const answer = await one.request('POST', '/token', { form: { username: 'ada', password: ada.password } })
    return ((await answer.json()) as { access_token: string }).access_token
  }
  const good = ada.grant.access_token
  const [head, body, signature] = good.split('.') as [string, string, string]
  const header = (changes: object) =>
    Buffer.from(JSON.stringify({ ...decode(good).header, ...changes })).toString('base64url')
  const stranger = (await other.signUp('ada')).grant.access_token
  const all: [string, number][] = [
    [`Bearer ${good}`, 200],
    [`bearer ${good}`, 200],
    [`Bearer ${await tokenOf(app)}`, 200],
    // 12.B7: the clock of the machine that made it is a few seconds ahead.
    [`Bearer ${await tokenOf(ahead)}`, 200],
    [`Bearer ${await tokenOf(late)}`, 401],
    [`Bearer ${await tokenOf(elsewhere)}`, 401],
    [`Bearer ${stranger}`, 401],
    [`Bearer ${head}.${body}.${signature.slice(0, -4)}AAAA`, 401],
    [`Bearer ${header({ typ: 'JWT' })}.${body}.${signature}`, 401],
    [`Bearer ${header({ alg: 'none' })}.${body}.`, 401],
    [`Bearer ${await proxyTokenOf(app, good)}`, 401],
    [`Bearer ${ada.grant.refresh_token}`, 401],
    [`Bearer ${ada.grant.device_token}`, 401],
    ['Bearer x', 401],
  ]
  for (const one of [elsewhere, ahead, late, other]) await one.close()
  return all
}

describe('the guide’s code that verifies a token', () => {
  let served: Served
  const app = appPerSuite({ clock: manualClock(Date.now()) }, () => served.stop())
  let cases: [header: string, status: number][]
  beforeAll(async () => {
    served = serve(app)
    cases = await headers(app)
  })

  test.skipIf(!hasPythonModules('fastapi', 'jwt'))(
    '12.B7 works in FastAPI, for a token from a clock that is ahead too',
    async () => {
      const program = `${blockOf('python', served.url, 'FastAPI')}\n${ASK_ASGI}`
      const answers = await python<{ status: number; body: string }[]>(
        program,
        cases.map(([header]) => header),
      )
      expect(answers.map(({ status }) => status)).toEqual(cases.map(([, status]) => status))
      expect(JSON.parse(answers[0]!.body)).toEqual({ orders_of: '1', roles: ['user'] })
    },
  )

  test.skipIf(!hasPythonModules('jwt'))('12.A6 takes the token of a proxy and no other', async () => {
    const good = cases[0]![0].slice('Bearer '.length)
    const token = await proxyTokenOf(app, good)
    const [head, body, signature] = token.split('.') as [string, string, string]
    const program = `${blockOf('python', served.url, 'fa+jwt')}\n${ASK_WSGI}`
    const answers = await python<({ sub: string; roles: string[] } | null)[]>(program, [
      token,
      good,
      '',
      'mallory',
      `${token},mallory`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    ])
    expect(answers).toEqual([expect.objectContaining({ sub: '1', roles: ['user'] }), null, null, null, null, null])
  })

  test('works in Express', async () => {
    const folder = scratchFolder('express')
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    await Bun.write(join(folder, 'auth.mjs'), blockOf('js', served.url))
    await Bun.write(join(folder, 'main.mjs'), ASK_NODE)
    const child = Bun.spawn([Bun.which('node') ?? process.execPath, 'main.mjs'], {
      cwd: folder,
      stdin: Buffer.from(JSON.stringify([...cases.map(([header]) => header), ''])),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
    expect([code, err]).toEqual([0, ''])
    const answers = JSON.parse(out) as { status: number; challenge: string | null; body: string }[]
    expect(answers.map(({ status }) => status)).toEqual([...cases.map(([, status]) => status), 401])
    expect(answers[0]!.body).toBe('orders of 1')
    expect(answers.at(-1)!.challenge).toBe('Bearer realm="api"')
  })
})

/** Sends a request to `app` for every header of the input, as an ASGI server does. */
const ASK_ASGI = `
import asyncio, json, sys

async def ask(header):
    sent = []
    async def receive(): return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message): sent.append(message)
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/orders", "raw_path": b"/orders", "query_string": b"", "root_path": "",
        "headers": [(b"authorization", header.encode())], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return {"status": sent[0]["status"], "body": body}

async def main():
    return [await ask(header) for header in json.load(sys.stdin)]

print(json.dumps(asyncio.run(main())))
`

/** Calls `caller` for every header of the input; null where it refuses. */
const ASK_WSGI = `
import json, sys

def ask(header):
    try: return caller(header)
    except jwt.PyJWTError: return None

print(json.dumps([ask(header) for header in json.load(sys.stdin)]))
`

/** A server of Node's http module, which passes requests on to Express, and a client. */
const ASK_NODE = `
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { requireUser } from './auth.mjs'

const server = createServer((request, response) =>
  requireUser(request, response, () => response.end('orders of ' + request.user.sub)),
)
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const answers = []
for (const authorization of JSON.parse(await text(process.stdin))) {
  const answer = await fetch('http://127.0.0.1:' + server.address().port + '/orders', { headers: { authorization } })
  const challenge = answer.headers.get('www-authenticate')
  answers.push({ status: answer.status, challenge, body: await answer.text() })
}
console.log(JSON.stringify(answers))
process.exit(0)
`
