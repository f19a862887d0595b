import type { TestApp } from '../support/app.ts'
import type { ClientOptions, RegisteredClient } from '../conformance/support.ts'

/** Registers a client as an administrator does. */
export async function registerClient(app: TestApp, options: ClientOptions = {}): Promise<RegisteredClient> {
  const redirectUri = options.redirectUri ?? 'https://app.example.net/callback'
  const { id, secret } = await app.admin.createClient({ name: 'App', ...options, redirectUris: [redirectUri] })
  return { id, secret: secret ?? '', redirectUri }
}
