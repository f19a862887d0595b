import { expect } from 'bun:test'
import { MFA_GRANT, PASSKEY_GRANT } from '../../src/features/openid/token-request.ts'
import { decode } from '../sessions/support.ts'
import { addProvider, identityOf, visit } from '../social/linking-support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import type { SoftAuthenticator } from '../support/authenticator.ts'
import { createBrowser } from '../support/browser.ts'
import { expectRefusal } from '../support/refusal.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { codeIn } from '../verification/support.ts'
import { passkeyOptions } from './support.ts'

/* The ways in, and the states of an account, as data: `matrix.check.ts` makes a test of every pair. */

type Options = Parameters<SoftAuthenticator['get']>[0]
type Answer = (webauthn: Options | undefined) => object

/** A state of the second factors of an account, and what the owner answers. */
export interface State {
  /** Brings a user into the state. @returns how the owner answers; undefined when nothing is asked for */
  add(app: TestApp, userId: number): Promise<Answer | undefined>
  /** The methods that the refusal names; undefined when the first factor is enough. */
  methods?: readonly string[]
  /** What the answer adds to `amr`; undefined when nothing works any more. */
  shown?: readonly string[]
}

const withApp = async (app: TestApp, userId: number) => {
  const phone = await app.factors.addApp(userId)
  return () => ({ otp: phone.code() })
}
const withCodes = async (app: TestApp, userId: number) => {
  const [code] = await app.factors.makeCodes(userId)
  return () => ({ recovery_code: code })
}
const withKey = (kind: 'passkey' | 'security_key') => async (app: TestApp, userId: number) => {
  const key = await app.factors.addPasskey(userId, { kind })
  await app.rows.recoveryCodes.remove({ userId })
  return (options: Options | undefined) => ({ webauthn: key.get(options!) })
}
const lock = (app: TestApp, userId: number) =>
  app.rows.factorAccounts.add({ userId, failedInRow: 100, lockedAt: app.clock.now() })

export const states: Record<string, State> = {
  'no factor': { add: async () => undefined },
  'an app that no code has confirmed': {
    async add(app, userId) {
      await app.factors.addApp(userId)
      await app.rows.totpFactors.change({ userId }, { confirmedAt: null })
      return undefined
    },
  },
  'recovery codes alone': {
    async add(app, userId) {
      await withCodes(app, userId)
      return undefined
    },
  },
  'an app': { add: withApp, methods: ['totp'], shown: ['otp'] },
  'a security key': { add: withKey('security_key'), methods: ['webauthn'], shown: ['hwk'] },
  'a passkey': { add: withKey('passkey'), methods: ['webauthn'], shown: ['swk', 'user'] },
  'an app and a passkey': {
    async add(app, userId) {
      await withKey('passkey')(app, userId)
      return withApp(app, userId)
    },
    methods: ['webauthn', 'totp'],
    shown: ['otp'],
  },
  'an app that was lost, with codes': {
    async add(app, userId) {
      await withApp(app, userId)
      return withCodes(app, userId)
    },
    methods: ['totp', 'recovery_code'],
    shown: ['recovery'],
  },
  'a locked app': {
    async add(app, userId) {
      const answer = await withApp(app, userId)
      await lock(app, userId)
      return answer
    },
    methods: [],
  },
  'a locked app with codes': {
    async add(app, userId) {
      await withApp(app, userId)
      await lock(app, userId)
      return withCodes(app, userId)
    },
    methods: ['recovery_code'],
    shown: ['recovery'],
  },
  'a passkey of another address': {
    async add(app, userId) {
      await withKey('passkey')(app, userId)
      await app.rows.passkeys.change({ userId }, { rpId: 'former.example' })
      return undefined
    },
  },
}

/** What a way in leads to. */
export type Outcome =
  | { is: 'session'; amr: readonly string[] }
  | {
      is: 'due'
      methods: readonly string[] | undefined
      /** Undefined where the page of the second factor has tests of its own. */
      finish?: (answer: Answer) => Promise<Outcome | { is: 'refused'; code: string }>
    }

export interface Entering {
  app: TestApp
  sink: SmtpSink
  user: SignedUp
}

/** A way in. */
export interface Way {
  enter(by: Entering): Promise<Outcome>
  /** What it shows by itself. */
  amr: readonly string[]
  /** `keeps` its level: it goes on with a session. `both`: it shows both factors, and nothing is asked for. */
  asks: 'always' | 'keeps' | 'both'
}

async function ofAnswer(app: TestApp, answer: Response): Promise<Outcome> {
  if (answer.status === 200) {
    const { access_token: token } = (await answer.json()) as { access_token: string }
    return { is: 'session', amr: decode(token).payload.amr as string[] }
  }
  const problem = (await expectRefusal(answer, 'mfa_required')) as unknown as {
    mfa_token: string
    methods: string[]
    webauthn?: Options
  }
  return {
    is: 'due',
    methods: problem.methods,
    async finish(made) {
      const json = { mfa_token: problem.mfa_token, ...made(problem.webauthn) }
      const finished = await app.request('POST', '/token/mfa', { json })
      if (finished.status === 200) return ofAnswer(app, finished)
      return { is: 'refused', code: ((await finished.json()) as { code: string }).code }
    },
  }
}

const byPassword = async ({ app, user: { username, password } }: Entering) =>
  ofAnswer(app, await app.request('POST', '/token', { form: { username, password } }))

/** Logs in with the mailed code. The address was proved before. */
async function byMail({ app, sink, user: { id, email } }: Entering): Promise<Outcome> {
  await app.rows.users.change({ id }, { emailVerifiedAt: 1 })
  const asked = await app.request('POST', '/login/email', { json: { email } })
  const { challenge_id } = (await asked.json()) as { challenge_id: string }
  await app.process.deliverMail()
  const codes = sink.received.filter(({ to }) => to.includes(email)).map(codeIn)
  const code = codes.findLast((one) => one !== '')
  return ofAnswer(app, await app.request('POST', '/login/email/verify', { json: { challenge_id, code } }))
}

/** A passkey that the user has besides what the state gives. */
const ownPasskey = async ({ app, user }: Entering) => {
  const key = await app.factors.addPasskey(user.id)
  return key.get(await passkeyOptions(app))
}

async function byProvider({ app, user }: Entering): Promise<Outcome> {
  const { social } = app.admin
  if ((await app.rows.providers.count()) === 0) await addProvider(app, 'hub')
  const identity = identityOf(user.username)
  const { provider, issuer, subject } = identity
  await app.rows.identities.add({
    userId: user.id,
    provider,
    issuer,
    subject,
    email: null,
    createdAt: 0,
    lastUsedAt: 0,
  })
  const arrival = await social.arrive(identity, visit)
  if (arrival.step !== 'done') throw new Error(arrival.step)
  if (!('due' in arrival.begun)) return { is: 'session', amr: arrival.begun.session.amr.split(' ') }
  return { is: 'due', methods: arrival.begun.methods }
}

async function byPage({ app, user }: Entering): Promise<Outcome> {
  const browser = createBrowser(app)
  const shown = await browser.logIn(user)
  expect(shown.status).toBe(200)
  if (shown.path.includes('/sign-in/second?')) {
    expect(browser.cookies.has('__Host-keyward')).toBe(false)
    return { is: 'due', methods: undefined }
  }
  const [session] = (await app.rows.sessions.all({ userId: user.id })).filter(({ kind }) => kind === 'browser')
  return { is: 'session', amr: session!.amr.split(' ') }
}

/** The routes through which a session begins or goes on. */
export const ways: Record<string, Way> = {
  'POST /token': { enter: byPassword, amr: ['pwd'], asks: 'always' },
  'POST /user/token': {
    enter: async ({ app, user: { username, password } }) =>
      ofAnswer(app, await app.request('POST', '/user/token', { json: { username, password } })),
    amr: ['pwd'],
    asks: 'always',
  },
  'POST /login/email/verify': { enter: byMail, amr: ['email'], asks: 'always' },
  'GET /social/:name/callback': { enter: byProvider, amr: ['fed'], asks: 'always' },
  'POST /sign-in': { enter: byPage, amr: ['pwd'], asks: 'always' },
  'POST /token/passkey': {
    async enter(by) {
      const credential = await ownPasskey(by)
      return ofAnswer(by.app, await by.app.request('POST', '/token/passkey', { json: { credential } }))
    },
    amr: ['swk', 'user', 'mfa'],
    asks: 'both',
  },
  'POST /token/refresh': {
    enter: async ({ app, user }) =>
      ofAnswer(app, await app.request('POST', '/token/refresh', { json: { refresh_token: user.grant.refresh_token } })),
    amr: ['pwd'],
    asks: 'keeps',
  },
}

/** The grants of the token endpoint: a way in, or why the grant is none of its own. */
export const grants: Record<string, Way | string> = {
  password: ways['POST /token']!,
  refresh_token: {
    enter: async ({ app, user }) =>
      ofAnswer(
        app,
        await app.request('POST', '/token', {
          form: { grant_type: 'refresh_token', refresh_token: user.grant.refresh_token! },
        }),
      ),
    amr: ['pwd'],
    asks: 'keeps',
  },
  [PASSKEY_GRANT]: {
    async enter(by) {
      const credential = JSON.stringify(await ownPasskey(by))
      const form = { grant_type: PASSKEY_GRANT, credential }
      return ofAnswer(by.app, await by.app.request('POST', '/token', { form }))
    },
    amr: ['swk', 'user', 'mfa'],
    asks: 'both',
  },
  [MFA_GRANT]: 'goes on with a login that waits',
  authorization_code: 'has the level of the browser session in which the person allowed it',
  'urn:ietf:params:oauth:grant-type:device_code': 'has the level of the browser session in which the person allowed it',
  client_credentials: 'is for no user',
}

/** Other open routes that give out tokens, and why they are no way of their own. */
export const goesOn: Record<string, string> = {
  'POST /token/mfa': 'goes on with a login that waits',
  'POST /token/enroll/confirm': 'goes on with a login that waits, once its first factor is added and shown',
}

/** The pages to which forms are sent: those through which a session begins, and why they are asked for the factor. */
export const pages: Record<string, string> = {
  'POST /sign-in': 'a way of the matrix',
  'POST /sign-up': 'logs in as `POST /sign-in` does',
  'POST /sign-in/passkey': 'as `POST /token/passkey`',
  'POST /sign-in/second': 'goes on with a login that waits',
  'POST /sign-in/enroll': 'goes on with a login that waits, once its first factor is added and shown',
  'POST /social/:name/callback': 'as the GET, for providers that send a form',
  'POST /social/:name/continue': 'links and begins in one function with the callback',
}

/** The pages to which forms are sent, and that begin no session. */
export const withoutSession: readonly string[] = [
  'POST /sign-in/second/options',
  'POST /sign-in/passkey/options',
  'POST /sign-in/step-up',
  'POST /sign-in/step-up/options',
  'POST /sign-out',
  'POST /forgot',
  'POST /reset',
  'POST /verify',
  'POST /confirm',
  'POST /undo',
  'POST /invite',
  'POST /factor-recovery',
  'POST /authorize',
  'POST /consent',
  'POST /device',
  'POST /end-session',
  'POST /end-session/confirm',
]
