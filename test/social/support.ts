import type { TestApp } from '../support/app.ts'

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
