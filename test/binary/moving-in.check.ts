import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { openPage, type WatchedPage } from '../browser/chromium.ts'
import { buildRequest, testSecret } from '../support/app.ts'
import { type Finished, type RunningBinary, runBinary, startBinary } from '../support/binary.ts'
import { type DialectDatabase, dialects } from '../support/dialects.ts'
import { type FastapiServices, startFastapiServices } from '../support/fastapi.ts'
import { hasPrograms, hasPythonModules } from '../support/programs.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { answerOf, type Difference, differencesOf, readToken } from '../support/side-by-side.ts'
import { exchange } from '../support/socket.ts'
import { judge, readList } from './moving-in-list.ts'
import { oldUsers, requestsOf, type Side, secondUser } from './moving-in-requests.ts'

setDefaultTimeout(60_000)

/** The key of the old services. */
const JWT_SECRET = '5c1e0a7f4d92b86e3301f7ca94d8526be8f17d03c65a94f2b17e80d36a29c4f5'
const modules = ['bcrypt', 'email_validator', 'fastapi', 'jose', 'multipart', 'passlib', 'sqlalchemy', 'uvicorn']

describe.skipIf(!hasPythonModules(...modules))('moving in from the FastAPI services', () => {
  let pages: Bun.Server<undefined>
  let database: DialectDatabase
  let services: FastapiServices
  let keyward: RunningBinary
  let before: Side
  let after: Side
  /** The origin of the front end, which all services list. */
  let origin: string
  let trial: Finished

  // The order of work. The old services run on, only to be compared.
  beforeAll(async () => {
    pages = await serveFrontEnd()
    origin = `http://localhost:${pages.port}`
    services = await startFastapiServices({ key: JWT_SECRET, origins: [origin], users: [secondUser] })
    for (const json of Object.values(oldUsers))
      expect((await answerOf('POST', `${services.first}/register`, { json })).status).toBe(200)
    inFirstService("UPDATE users SET is_active = 0 WHERE username = 'inactive'")
    const oldToken = await tokenOf(`${services.first}/token`, oldUsers.ada)

    database = await dialects[0]!.databaseUrl()
    expect(await keywardDoes('migrate', 'up')).toMatchObject({ exitCode: 0 })
    for (const [index, columns] of notImported.entries())
      inFirstService(
        `INSERT INTO users (id, email, username, hashed_password, is_active) VALUES (${90 + index}, ${columns})`,
      )
    trial = await keywardDoes('import', '--from', services.databases.first, '--dry-run')
    inFirstService('DELETE FROM users WHERE id >= 90')
    for (const from of [services.databases.first, services.databases.second])
      expect(await keywardDoes('import', '--from', from)).toMatchObject({ exitCode: 0, stderr: '' })
    // Three wrong passwords are the limit however slow the machine is, and registrations have none.
    const limits = { RATE_LIMIT: 'on', LIMITS: 'login.name_prefix=3/1d, register.prefix=off' }
    const tokens = { JWT_ALG: 'HS256', JWT_COMPAT: 'fastapi', JWT_SECRET }
    keyward = await startBinary({ databaseUrl: database.url, env: { CORS_ORIGINS: origin, ...tokens, ...limits } })

    before = await sideOf(oldToken, services.first, services.second)
    after = await sideOf(oldToken, keyward.url, keyward.url)
    inFirstService("DELETE FROM users WHERE username = 'deleted'")
    expect(await keywardDoes('users', 'delete', 'deleted', '--yes')).toMatchObject({ exitCode: 0 })
  }, 60_000)

  afterAll(async () => {
    await keyward?.stop()
    await services?.stop()
    await database?.dispose()
    await pages?.stop(true)
  })

  const inFirstService = (sql: string) => {
    using db = new Database(services.databases.first.slice('sqlite:///'.length))
    db.run(sql)
  }

  const keywardDoes = (...args: string[]) =>
    runBinary(args, { env: { DATABASE_URL: database.url, SECRET_KEY: testSecret } })

  const sideOf = async (oldToken: string, first: string, second: string): Promise<Side> => ({
    oldToken,
    token: await tokenOf(`${first}/token`, oldUsers.ada),
    deletedToken: await tokenOf(`${first}/token`, oldUsers.deleted),
    secondToken: await tokenOf(`${second}/user/token`, secondUser),
  })

  test('12.D7 the chapter lists every difference between the answers of both, and no other', async () => {
    const found: [Difference, own: string | undefined][] = []
    for (const { name, service, method, path, options, row } of requestsOf(origin)) {
      const one = await answerOf(method, services[service] + path, options(before))
      const other = await answerOf(method, keyward.url + path, options(after))
      for (const difference of differencesOf(name, one, other, isSame)) found.push([difference, row])
    }
    const { unlisted, notShown, idle } = judge(await readList(), found)
    expect(unlisted).toEqual([])
    // Only bytes show the spelling of header names; see below.
    expect(notShown).toEqual(['Spelling of header names'])
    expect(idle).toEqual([])
  })

  test('12.D7 header names are spelled as the chapter says', async () => {
    const row = (await readList()).get('Spelling of header names')!
    const spelled = await Promise.all(
      [services.first, keyward.url].map(async (url) => {
        const { port } = new URL(url)
        const text = await exchange(
          Number(port),
          'GET /users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        )
        return `\`${/^content-type/im.exec(text)?.[0]}\``
      }),
    )
    expect(spelled).toEqual([row.before, row.after])
  })

  test('12.D7 the dry run names each user that cannot be imported', () => {
    expect(trial.exitCode).toBe(1)
    expect(trial.stderr.split('\n').filter((line) => line.startsWith('id '))).toEqual([
      expect.stringMatching(/^id 2: id 90 has the same email address, ignoring case/),
      expect.stringMatching(/^id 90: id 2 has the same email address, ignoring case/),
      expect.stringMatching(/^id 91: the username is empty, too long, begins or ends with a space/),
      expect.stringMatching(/^id 92: the username contains an @/),
      expect.stringMatching(/^id 93: the email address is not valid/),
      expect.stringMatching(/^id 94: the password hash is malformed/),
      expect.stringMatching(/^id 95: is_active is neither true nor false/),
    ])
  })

  test('12.D7 a service that has the key, such as the old one, accepts tokens of Keyward and those from before the switch', async () => {
    for (const token of [after.token, before.oldToken])
      expect(await answerOf('GET', `${services.first}/users/me`, { token })).toMatchObject({
        status: 200,
        body: { id: 1, username: 'ada' },
      })
  })

  test('12.D7 a short key stops the start, as the chapter says', async () => {
    const env = {
      SECRET_KEY: testSecret,
      JWT_ALG: 'HS256',
      JWT_COMPAT: 'fastapi',
      JWT_SECRET: 'your-secure-secret-key',
    }
    const { exitCode, stderr } = await runBinary(['serve'], { env })
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('takes at least 32 random characters')])
  })

  describe.skipIf(!hasPrograms('chromium'))('a front end in Chromium', () => {
    let browser: WatchedPage
    beforeAll(async () => {
      browser = await openPage()
    }, 60_000)
    afterAll(() => browser?.close())

    const open = async (api: string, { from = origin, query = '' } = {}) => {
      await browser.page.goto(`${from}/?api=${encodeURIComponent(api)}${query}`)
      await browser.page.waitForSelector('[data-done]')
      return (await browser.page.textContent('output'))!
    }
    const logIn = async () => {
      const { page } = browser
      await page.fill('[name=username]', oldUsers.ada.username)
      await page.fill('[name=password]', oldUsers.ada.password)
      await page.click('button')
      await page.waitForSelector('[data-done]')
      return (await page.textContent('output'))!
    }

    test('12.D7 logs in, reads the account and survives the switch with only another address', async () => {
      expect(await open(services.first)).toBe('Log in')
      expect(await logIn()).toBe('Hello ada')
      expect(await open(services.first)).toBe('Hello ada')
      expect(await open(keyward.url)).toBe('Could not validate credentials')
      expect(await logIn()).toBe('Hello ada')
      expect(await open(keyward.url)).toBe('Hello ada')
    })

    test('12.D7 shows the errors of both and takes the success of both', async () => {
      const register = (members: object) => browser.page.evaluate(`register(${JSON.stringify(members)})`)
      const user = { email: 'page@example.com', username: 'page', password: 'secure_password' }
      await open(services.first)
      expect([await register({ ...user, password: undefined }), await register(user)]).toEqual(['field required', 'ok'])
      await open(keyward.url)
      expect([await register({ ...user, password: 'pw12' }), await register(user), await register(user)]).toEqual([
        'The password must have at least 8 characters',
        'ok',
        'Email already registered',
      ])
    })

    test('12.D7 cannot send cookies to Keyward, and cannot read answers at an origin that is not listed', async () => {
      expect(await open(services.first, { query: '&cookies' })).not.toBe('Failed to fetch')
      const token = JSON.stringify(after.token)
      await browser.page.evaluate(`localStorage.setItem('token', ${token})`)
      expect(await open(keyward.url)).toBe('Hello ada')
      expect(await open(keyward.url, { query: '&cookies' })).toBe('Failed to fetch')

      const from = `http://127.0.0.1:${pages.port}`
      await open(keyward.url, { from })
      await browser.page.evaluate(`localStorage.setItem('token', ${token})`)
      expect(await open(keyward.url, { from })).toBe('Failed to fetch')
      await keyward.says(/origin_not_listed/)
      expect(keyward.output()).toContain(`set CORS_ORIGINS=${origin},${from}`)
    })
  })

  test('12.D7 later, ES256 keeps the sessions and refuses the tokens from before', async () => {
    const form = { username: oldUsers.ada.username, password: oldUsers.ada.password }
    const login = await keyward.request('POST', '/token', { form })
    const { access_token: token, refresh_token } = (await login.json()) as Record<string, string>
    await keyward.stop()
    keyward = await startBinary({ databaseUrl: database.url })
    expect((await keyward.request('GET', '/users/me', { token })).status).toBe(401)
    const refreshed = await keyward.request('POST', '/token/refresh', { json: { refresh_token } })
    const { access_token } = (await refreshed.json()) as { access_token: string }
    expect(readToken(access_token)).toMatchObject({ header: { alg: 'ES256' }, claims: { sub: '1', username: 'ada' } })
    expect((await keyward.request('GET', '/users/me', { token: access_token })).status).toBe(200)
  })
})

/** `email`, `username`, `hashed_password` and `is_active` of users that cannot be imported. */
const bcrypt = "'$2b$04$2s1fk6oX7d1oiYWNTUL1YOYpMkhpG3PTXmVFw8BDhxFcy14ikBAZa'"
const notImported = [
  `'BOB@example.com', 'bob-2', ${bcrypt}, 1`,
  `'space@example.com', ' space ', ${bcrypt}, 1`,
  `'at@example.com', 'ada@home', ${bcrypt}, 1`,
  `'jürgen@example.com', 'juergen', ${bcrypt}, 1`,
  `'argon@example.com', 'argon', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', 1`,
  `'null@example.com', 'null', ${bcrypt}, NULL`,
]

/** Serves the front end of `moving-in-page.html` at every path, with the function of the chapter. */
async function serveFrontEnd(): Promise<Bun.Server<undefined>> {
  const html = await Bun.file(join(import.meta.dir, 'moving-in-page.html')).text()
  const script = blocksOf(await readChapter('moving-in')).find(({ language }) => language === 'js')!.text
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response(html.replace('/* messageOf */', script), { headers: { 'content-type': 'text/html' } }),
  })
}

/** Ids of new users differ because some registrations succeed at one side only; expiries by the time between logins. */
function isSame(part: string, before: unknown, after: unknown): boolean {
  if (typeof before !== 'number' || typeof after !== 'number') return false
  return part === 'body id' || (part === 'body access_token.claims.exp' && Math.abs(before - after) < 300)
}

async function tokenOf(url: string, { username, password }: { username: string; password: string }): Promise<string> {
  const response = await fetch(buildRequest(url, 'POST', { form: { username, password } }))
  expect([username, response.status]).toEqual([username, 200])
  return ((await response.json()) as { access_token: string }).access_token
}
