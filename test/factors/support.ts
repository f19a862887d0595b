import { login } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { expectRefusal } from '../support/refusal.ts'

/** Logs in with the password of a user who has a second factor. @returns the `mfa_token` */
export async function waitingLogin(app: TestApp, user: Pick<SignedUp, 'username' | 'password'>): Promise<string> {
  return (await expectRefusal(await login(app, user), 'mfa_required')).mfa_token!
}

/** Sends the answer to a login that waits. */
export const answerLogin = (app: TestApp, json: object): Promise<Response> =>
  app.request('POST', '/token/mfa', { json })
