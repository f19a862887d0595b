import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { openPage, type WatchedPage } from './chromium.ts'

setDefaultTimeout(60_000)

const blocks = blocksOf(await readChapter('browser-apps'))
const client = blocks.find(({ language }) => language === 'ts')!.text
const components = blocks.find(({ language }) => language === 'tsx')!.text
const modules = join(import.meta.dir, '..', '..', 'node_modules')

/** The entry of the app, and what the tests call in the page. */
const main = `
import { createRoot } from 'react-dom/client'
import { App } from './app'
import * as client from './keyward'
Object.assign(globalThis, { client })
createRoot(document.getElementById('root')).render(<App />)
`

interface Tokens {
  access_token: string
  refresh_token: string
  expires_at: number
}

/** Writes the files of the guide into a project of their own. */
async function writeProject(keywardUrl: string): Promise<string> {
  const folder = scratchFolder('react')
  symlinkSync(modules, join(folder, 'node_modules'))
  await Bun.write(join(folder, 'keyward.ts'), client.replace('https://auth.example.com', keywardUrl))
  await Bun.write(join(folder, 'app.tsx'), components)
  await Bun.write(join(folder, 'main.tsx'), main)
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, target: 'ES2022', module: 'ESNext', jsx: 'react-jsx' },
    ...{ moduleResolution: 'bundler', lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [] },
  }
  await Bun.write(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.tsx', 'keyward.ts'] }))
  return folder
}

test('12.D8 the React client of the guide has no type error', async () => {
  const folder = await writeProject('https://auth.example.com')
  const child = Bun.spawn([join(modules, '.bin', 'tsc'), '--project', folder], { stdout: 'pipe' })
  expect(await child.stdout.text()).toBe('')
  expect(await child.exited).toBe(0)
})

describe.skipIf(!hasPrograms('chromium'))('12.D8 the React client of the guide in two tabs of Chromium', () => {
  let keyward: RunningBinary
  let site: Bun.Server<undefined>
  let watched: WatchedPage
  let context: BrowserContext
  let one: Page
  let two: Page
  let refreshes = 0

  beforeAll(async () => {
    let script = ''
    site = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) =>
        url.endsWith('/main.js')
          ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
          : new Response('<!doctype html><title>App</title><div id="root"></div><script src="/main.js"></script>', {
              headers: { 'content-type': 'text/html', 'content-security-policy': "script-src 'self'" },
            }),
    })
    keyward = await startBinary({ env: { CORS_ORIGINS: site.url.origin } })
    const built = await Bun.build({
      entrypoints: [join(await writeProject(keyward.url), 'main.tsx')],
      define: { 'process.env.NODE_ENV': '"production"' },
    })
    script = await built.outputs[0]!.text()
    watched = await openPage()
    one = watched.page
    context = one.context()
    two = await context.newPage()
    context.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/token/refresh')) refreshes++
    })
    for (const username of ['ada', 'bea']) {
      const json = { email: `${username}@example.com`, username, password: 'correct horse battery' }
      expect((await keyward.request('POST', '/register', { json })).status).toBe(201)
    }
  }, 60_000)
  afterAll(async () => {
    await watched?.close()
    await site?.stop(true)
    await keyward?.stop()
  })

  beforeEach(async () => {
    await context.unrouteAll()
    for (const page of [one, two]) await page.goto(site.url.href)
    await one.evaluate('client.logOut()')
    await logIn(one, 'ada')
    await two.getByText('Logged in as ada').waitFor()
    refreshes = 0
    watched.complaints.length = 0
  })

  const logIn = async (page: Page, username: string) => {
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill('correct horse battery')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText(`Logged in as ${username}`).waitFor()
  }
  /** Does something with the object store of the tokens, in a transaction of its own. */
  const inStore = <T>(act: string): Promise<T> =>
    one.evaluate(`new Promise((resolve) => {
      indexedDB.open('keyward').onsuccess = ({ target }) => {
        const transaction = target.result.transaction('tokens', 'readwrite')
        const store = transaction.objectStore('tokens')
        const reading = store.get('current')
        reading.onsuccess = () => { ${act} }
        transaction.oncomplete = () => { target.result.close(); resolve(reading.result) }
      }
    })`) as Promise<T>
  const tokens = () => inStore<Tokens>('')
  const change = (changes: Partial<Tokens>) =>
    inStore(`store.put({ ...reading.result, ...${JSON.stringify(changes)} }, 'current')`)
  /** The username as Keyward tells it to the page, or the status of its refusal. */
  const ask = (page: Page): Promise<unknown> =>
    page.evaluate(
      "client.api('/users/me').then((answer) => answer.ok ? answer.json().then((me) => me.username) : answer.status)",
    )

  /** Holds the answer to a refresh. `arrived` resolves when Keyward has answered, `release` lets the answer pass. */
  async function holdRefresh() {
    const arrived = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    await context.route('**/token/refresh', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      const response = await route.fetch()
      arrived.resolve()
      await released.promise
      await route.fulfill({ response })
    })
    return { arrived: arrived.promise, release: released.resolve }
  }

  test('a login in one tab logs the other in, and both refresh once when the access token has expired', async () => {
    await change({ expires_at: 0 })
    const before = await tokens()
    const held = await holdRefresh()
    const first = ask(one)
    await held.arrived
    const second = ask(two)
    // The second tab waits for the lock of the first.
    await two.waitForFunction('navigator.locks.query().then(({ pending }) => pending.length === 1)')
    held.release()
    expect(await Promise.all([first, second])).toEqual(['ada', 'ada'])
    expect(refreshes).toBe(1)
    expect((await tokens()).refresh_token).not.toBe(before.refresh_token)
    expect(watched.complaints).toEqual([])
  })

  test('a request that gets 401 before its time refreshes and is repeated once', async () => {
    const { access_token } = await tokens()
    await change({ access_token: `${access_token.slice(0, -4)}AAAA` })
    expect(await Promise.all([ask(one), ask(one), ask(two)])).toEqual(['ada', 'ada', 'ada'])
    expect(refreshes).toBe(1)
  })

  test('a lost answer to a refresh does not log the user out', async () => {
    await change({ expires_at: 0 })
    await context.route('**/token/refresh', async (route) => {
      await route.fetch()
      await route.abort()
    })
    expect(await ask(one).catch((error: Error) => error.message)).toContain('Failed to fetch')
    await context.unrouteAll()
    expect(await ask(two)).toBe('ada')
  })

  test('an overloaded Keyward does not log the user out', async () => {
    await change({ expires_at: 0 })
    await context.route('**/token/refresh', (route) =>
      route.fulfill({ status: 503, headers: { 'access-control-allow-origin': site.url.origin } }),
    )
    expect(await ask(one).catch((error: Error) => error.message)).toContain('The refresh got 503')
    await context.unrouteAll()
    expect(await ask(one)).toBe('ada')
  })

  test('a session that ended elsewhere logs all tabs out at the next request', async () => {
    const { access_token: token } = await tokens()
    expect((await keyward.request('DELETE', '/users/me/sessions', { token })).status).toBe(204)
    expect(await ask(two)).toBe(401)
    for (const page of [one, two]) await page.getByLabel('Username').waitFor()
  })

  test('a logout logs all tabs out and ends the session', async () => {
    const { refresh_token } = await tokens()
    const revoked = one.waitForResponse((answer) => answer.url().endsWith('/revoke'))
    await one.getByRole('button', { name: 'Log out' }).click()
    for (const page of [one, two]) await page.getByLabel('Username').waitFor()
    expect((await revoked).status()).toBe(200)
    expect((await keyward.request('POST', '/token/refresh', { json: { refresh_token } })).status).toBe(401)
  })

  test('a logout wins over a refresh of another tab, and its tokens are refused', async () => {
    await change({ expires_at: 0 })
    const held = await holdRefresh()
    const answer = ask(two)
    await held.arrived
    const revoked = one.waitForResponse((response) => response.url().endsWith('/revoke'))
    await one.getByRole('button', { name: 'Log out' }).click()
    await revoked
    held.release()
    expect([await answer, await tokens()]).toEqual([401, undefined])
    for (const page of [one, two]) await page.getByLabel('Username').waitFor()
  })

  test('a request of one user is never repeated as another', async () => {
    await change({ expires_at: 0 })
    const held = await holdRefresh()
    const answer = ask(two)
    await held.arrived
    await one.getByRole('button', { name: 'Log out' }).click()
    await logIn(one, 'bea')
    held.release()
    expect(await answer).toBe(401)
    await two.getByText('Logged in as bea').waitFor()
    expect(await ask(two)).toBe('bea')
  })

  test('a wrong password is a sentence in the form', async () => {
    await one.getByRole('button', { name: 'Log out' }).click()
    await one.getByLabel('Username').fill('ada')
    await one.getByLabel('Password').fill('wrong')
    await one.getByRole('button', { name: 'Log in' }).click()
    await one.getByText('Incorrect username or password').waitFor()
  })
})
