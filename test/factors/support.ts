import { expect } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { answered } from '../administration/support.ts'
import { login } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import type { SoftAuthenticator, Wrong } from '../support/authenticator.ts'
import type { Authenticator } from '../support/factors.ts'
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

const firefox = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0' }

export interface Trusted {
  access_token: string
  trusted_device_token: string
}

/** Logs in with both factors, and trusts the device. */
export async function trusting(app: TestApp, user: SignedUp, phone: Authenticator): Promise<Trusted> {
  await app.clock.advance(30 * SECOND)
  const json = { mfa_token: await waitingLogin(app, user), otp: phone.code(), trust_device: true }
  return answered<Trusted>(app.request('POST', '/token/mfa', { json, headers: firefox }))
}

/** The trusted devices of a user. */
export const trustedDevices = (app: TestApp, token: string) =>
  answered<Record<string, string>[]>(app.request('GET', '/users/me/trusted-devices', { token }))

/** Logs in with the password and the token of a trusted device. */
export const onTrusted = (app: TestApp, user: Pick<SignedUp, 'username' | 'password'>, token: string) =>
  login(app, user, { trusted_device_token: token })
