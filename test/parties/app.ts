import { isAbsolute, join } from 'node:path'
import type { Page } from 'playwright-core'
import { freePort } from '../support/proxy.ts'
import { certificate } from '../support/tls-front.ts'
import { type Provider, user } from './provider.ts'

export interface RunningApp {
  /** What it wrote so far. */
  output(): string
  stop(): Promise<void>
}

/** An address for an application of a test, which is registered before the application starts. */
export const freeAddress = async (scheme: 'http' | 'https' = 'http'): Promise<string> =>
  `${scheme}://127.0.0.1:${await freePort()}`

/**
 * Starts an application in Node, which trusts the certificate of the provider.
 * @param name a file of the folder `apps` without its ending, or a path
 */
export async function startApp(
  name: string,
  provider: Provider,
  settings: { BASE_URL: string; CLIENT_ID: string; CLIENT_SECRET?: string } & Record<string, string>,
): Promise<RunningApp> {
  const { certFile, keyFile } = await certificate()
  const file = isAbsolute(name) ? name : join(import.meta.dir, 'apps', `${name}.mjs`)
  return startProgram(['node', file], {
    NODE_EXTRA_CA_CERTS: certFile,
    ...{ CERT_FILE: certFile, KEY_FILE: keyFile, ISSUER: provider.issuer },
    ...settings,
  })
}

/** Starts a program, and waits until it writes `listening` or `running`. */
export async function startProgram(command: string[], env: Record<string, string>): Promise<RunningApp> {
  const child = Bun.spawn(command, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let output = ''
  const listening = Promise.withResolvers<void>()
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true })
      if (/listening|running/.test(output)) listening.resolve()
    }
  }
  for (const stream of [child.stdout, child.stderr]) void collect(stream)
  child.exited.then(() => listening.reject(new Error(`The application ended: ${output}`)))
  listening.promise.catch(() => {})
  await listening.promise
  return {
    output: () => output,
    async stop() {
      child.kill()
      await child.exited
    },
  }
}

/** Signs in on the provider's pages, and agrees. */
export async function signInOn(page: Page, provider: Provider): Promise<void> {
  await logInOn(page, provider)
  await allow(page)
}

/** Sends the form to log in. */
export async function logInOn(page: Page, { issuer }: Provider): Promise<void> {
  await page.waitForURL(`${issuer}/sign-in?**`)
  await page.fill('[name=username]', user.username)
  await page.fill('[name=password]', user.password)
  await page.click('main form button')
}

/** Agrees on the consent page. */
export const allow = (page: Page): Promise<void> =>
  page
    .locator('form', { has: page.locator('[name=decision][value=allow]') })
    .locator('button')
    .click()

/** Refuses on the consent page. */
export const deny = (page: Page): Promise<void> =>
  page
    .locator('form', { has: page.locator('[name=decision][value=deny]') })
    .locator('button')
    .click()

/** The JSON that the browser shows. */
export const shownJson = async (page: Page): Promise<Record<string, never>> =>
  JSON.parse(await page.evaluate('document.body.innerText')) as Record<string, never>
