import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Locator, Page } from 'playwright-core'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { openPage, screenshot, type WatchedPage } from './chromium.ts'

const user = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }

describe.skipIf(!hasPrograms('chromium'))('the documentation page of the executable in Chromium', () => {
  let keyward: RunningBinary

  beforeAll(async () => {
    // PUBLIC_URL differs from the address of the page: the page must call the address that it was loaded from.
    keyward = await startBinary({ env: { PUBLIC_URL: 'https://auth.example.com' } })
    const registered = await keyward.request('POST', '/register', { json: user })
    expect(registered.status).toBe(201)
  }, 60_000)
  afterAll(() => keyward.stop())

  const open = async (options?: Parameters<typeof openPage>[0]): Promise<WatchedPage> => {
    const watched = await openPage(options)
    await watched.page.goto(`${keyward.url}/docs`)
    await operationOf(watched.page, 'get', '/users/me').waitFor()
    return watched
  }

  /** The block of an operation, found by its operationId. */
  const operationOf = (page: Page, method: string, path: string): Locator =>
    page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) })
  const tryOut = async (page: Page, method: string, path: string): Promise<Locator> => {
    const operation = operationOf(page, method, path)
    await operation.locator('.opblock-summary-control').click()
    await operation.locator('.try-out__btn').click()
    return operation
  }
  const execute = async (operation: Locator): Promise<Locator> => {
    await operation.locator('.execute').click()
    const answer = operation.locator('.live-responses-table')
    await answer.waitFor()
    return answer
  }
  const statusOf = async (answer: Locator): Promise<string | undefined> =>
    (await answer.locator('tbody .response-col_status').first().textContent())?.slice(0, 3)

  test('logs in with "Authorize", and "Try it out" reads the account and works with its examples', async () => {
    const { page, requests, complaints, close } = await open()
    expect(await page.title()).toBe('Keyward API')
    await screenshot(page, 'page')

    await page.locator('.auth-wrapper .authorize').click()
    const login = page.locator('.auth-container', { hasText: 'OAuth2, password' })
    // A login has no client, so there are no fields for one.
    expect(await login.getByText(/client_id|client_secret|Client credentials/).count()).toBeGreaterThan(1)
    for (const field of await login.getByText(/client_id|client_secret|Client credentials/).all())
      expect(await field.isVisible()).toBe(false)
    expect(await login.locator('input:visible, select:visible').count()).toBe(2)
    await login.locator('#oauth_username').fill(user.username)
    await login.locator('#oauth_password').fill(user.password)
    await screenshot(page, 'authorize')
    await login.locator('button.authorize').click()
    await login.getByText('Logout').waitFor()
    await login.locator('.btn-done').click()

    const operation = await tryOut(page, 'get', '/users/me')
    const answer = await execute(operation)
    await screenshot(page, 'answer')

    expect(await statusOf(answer)).toBe('200')
    expect(JSON.parse((await answer.locator('.highlight-code code').first().textContent())!)).toMatchObject({
      username: user.username,
      email: user.email,
    })
    expect(complaints).toEqual([])
    expect(requests.filter((url) => !url.startsWith(`${keyward.url}/`) && !url.startsWith('data:'))).toEqual([])
    expect(requests).toContain(`${keyward.url}/token`)
    expect(requests.at(-1)).toBe(`${keyward.url}/users/me`)

    // With the prefilled values, without optional parameters.
    for (const path of ['/forward-auth', '/.well-known/jwks.json'])
      expect([path, await statusOf(await execute(await tryOut(page, 'get', path)))]).toEqual([path, '200'])
    expect(requests).toContain(`${keyward.url}/forward-auth`)
    expect(complaints).toEqual([])
    await close()
  }, 60_000)

  test('fills in forms so that a name and a password suffice, and sends no empty field', async () => {
    const { page, complaints, close } = await open()
    const field = (operation: Locator, name: string) =>
      operation.locator(`[data-property-name="${name}"] input`).first()
    const login = await tryOut(page, 'post', '/token')
    await field(login, 'username').fill(user.username)
    await field(login, 'password').fill(user.password)
    await screenshot(page, 'form')
    const asked = page.waitForRequest(`${keyward.url}/token`)
    expect(await statusOf(await execute(login))).toBe('200')
    const { username, password } = user
    expect(Object.fromEntries(new URLSearchParams((await asked).postData()!))).toEqual({
      grant_type: 'password',
      username,
      password,
    })

    const revoke = await tryOut(page, 'post', '/revoke')
    await field(revoke, 'token').fill('kwr_of-nobody')
    const revoked = page.waitForRequest(`${keyward.url}/revoke`)
    expect(await statusOf(await execute(revoke))).toBe('200')
    expect((await revoked).postData()).toBe('token=kwr_of-nobody')
    expect(complaints).toEqual([])
    await close()
  }, 60_000)

  test('shows an operation of every group in dark mode, without an error', async () => {
    const { page, complaints, close } = await open({ colorScheme: 'dark' })
    expect(await page.locator('html.dark-mode').count()).toBe(1)
    const { paths } = (await (await keyward.request('GET', '/openapi.json')).json()) as {
      paths: Record<string, object>
    }
    const operations = Object.values(paths).flatMap((methods) => Object.keys(methods))
    expect(operations.length).toBeGreaterThan(6)
    expect(await page.locator('.opblock').count()).toBe(operations.length)
    const groups = await page.locator('.opblock-tag-section').all()
    for (const group of groups) await group.locator('.opblock-summary-control').first().click()
    await page
      // Swagger UI does not mark an open operation that is deprecated.
      .locator('.opblock .responses-table')
      .nth(groups.length - 1)
      .waitFor()
    await screenshot(page, 'dark')

    expect(await page.locator('.errors-wrapper').count()).toBe(0)
    expect(complaints).toEqual([])
    await close()
  }, 60_000)
})
