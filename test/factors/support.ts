import { expect } from 'bun:test'
import { login } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import type { SoftAuthenticator, Wrong } from '../support/authenticator.ts'
import { expectRefusal } from '../support/refusal.ts'

/** Logs in with the password of a user who has a second factor. @returns the `mfa_token` */
export async function waitingLogin(app: TestApp, user: Pick<SignedUp, 'username' | 'password'>): Promise<string> {
  return (await expectRefusal(await login(app, user), 'mfa_required')).mfa_token!
}

/** Sends the answer to a login that waits. */
export const answerLogin = (app: TestApp, json: object): Promise<Response> =>
  app.request('POST', '/token/mfa', { json })

type Options = Parameters<SoftAuthenticator['get']>[0]

/** Asks for the options of a login with a passkey. */
export async function passkeyOptions(app: TestApp): Promise<Options> {
  const answer = await app.request('POST', '/passkeys/options')
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { options: Options }).options
}

/** Logs in with a passkey alone. */
export async function passkeyLogin(
  app: TestApp,
  authenticator: SoftAuthenticator,
  { wrong, ...more }: { wrong?: Wrong; device_token?: string } = {},
): Promise<Response> {
  const credential = authenticator.get(await passkeyOptions(app), wrong)
  return app.request('POST', '/token/passkey', { json: { credential, ...more } })
}
