import type { TestApp } from '../support/app.ts'
import type { TestBrowser } from '../support/browser.ts'
import type { MockProvider } from './issuer.ts'

/** What a test writes into a new provider: the body of `POST /admin/providers`. */
export type ProviderBody = Record<string, unknown>

export const githubBody = {
  name: 'github',
  kind: 'github',
  client_id: 'Iv1.0123456789abcdef',
  client_secret: 'github-secret-1f2e',
} as const

export const post = (app: TestApp, token: string, json: object) =>
  app.request('POST', '/admin/providers', { token, json })

export const patch = (app: TestApp, token: string, name: string, json: object) =>
  app.request('PATCH', `/admin/providers/${name}`, { token, json })

/** A private key as Apple gives it to a developer: PKCS #8 in PEM, on P-256. */
export async function applePrivateKey(): Promise<string> {
  const { generateKeyPairSync } = await import('node:crypto')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export const local = { PUBLIC_URL: 'http://localhost:8000', OUTGOING_ADDRESSES: 'private' }

/** Goes to a provider from a page of Keyward. @returns the address at the provider */
export async function goTo(browser: TestBrowser, path: string): Promise<string> {
  const answer = await browser.get(path)
  const location = answer.headers.get('location') ?? ''
  if (answer.status !== 303 || !/^https?:/.test(location)) throw new Error(`${answer.status} ${location}`)
  return location
}

/** Logs in at the provider, and comes back. */
export async function signIn(
  browser: TestBrowser,
  mock: MockProvider,
  name: string,
  more: Record<string, string> = {},
) {
  const { code, state } = mock.authorize(await goTo(browser, `/social/${name}`))
  return browser.open(`/social/${name}/callback?${new URLSearchParams({ code, state, ...more })}`)
}
