import type { NewClient } from '../../src/features/clients/clients.ts'
import type { RegisteredClient } from '../conformance/support.ts'
import type { TestApp } from '../support/app.ts'

export type ClientOptions = Partial<Omit<NewClient, 'redirectUris'>> & { redirectUri?: string }

/** Registers a client as an administrator does. */
export async function registerClient(app: TestApp, options: ClientOptions = {}): Promise<RegisteredClient> {
  const { redirectUri = 'https://app.example.net/callback', ...settings } = options
  const { client, secret } = await app.admin.createClient({ name: 'App', ...settings, redirectUris: [redirectUri] })
  return { id: client.id, secret: secret ?? '', redirectUri }
}
