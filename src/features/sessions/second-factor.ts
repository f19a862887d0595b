import { KeywardError } from '../../errors.ts'
import type { FactorAnswer, FactorProof, NewTrustedDevice, StoredChallenge } from '../factors/factors.ts'
import { open } from './begin.ts'
import { deviceName } from './device-name.ts'
import type { Asked, CodeAtOnce } from './grant.ts'
import type { KnownDevice } from './known.ts'
import type { BegunSession, FactorDue, NewBrowserLogin, NewLink, NewLogin, Origin } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'

/** The answer to a login that waits for a second factor. */
export interface LoginAnswer {
  /** The `mfa_token`. */
  token: string
  answer: FactorAnswer
  origin: Origin
  /** Given when the login began on a page, and only then: with the browser session of the cookie, which ends. */
  browser?: Pick<NewBrowserLogin, 'replaces'>
  /** True to trust the device from now on, if it may be trusted. */
  trustDevice?: boolean
}

/** What a login that waits keeps until it goes on. */
export interface Kept {
  device?: KnownDevice
  browser?: NewBrowserLogin
  link?: NewLink
  scope?: string
}

/**
 * Stores a login that waits for the second factor, or until the user has one.
 * @returns the refusal for the client, with the `mfa_token`
 * @throws KeywardError `rate_limited`
 */
export async function askForFactor(
  needs: SessionsNeeds,
  { due, user, amr, device, browser, link, ip, methods }: FactorDue,
  { scope }: Asked = {},
): Promise<KeywardError> {
  const { audit, factors } = needs
  const kept: Kept = { device, browser, link, scope: scope || undefined }
  const login = JSON.stringify(kept)
  const about = { userId: user.id, epoch: user.sessionEpoch, amr, ip }
  const purpose = due === 'factor' ? 'login' : 'enroll'
  const { id, token, expiresIn } = await factors.beginChallenge({ purpose, ...about, login })
  if (due === 'enrollment') {
    await audit.record({ event: 'mfa.enrollment_required', userId: user.id, ip, details: { amr: amr.join(' ') } })
    return new KeywardError('mfa_enrollment_required', { challenge: { token, expiresIn, methods: enrollable } })
  }
  await audit.record({ event: 'mfa.challenged', userId: user.id, ip, details: { amr: amr.join(' ') } })
  const webauthn = methods.includes('webauthn') ? await factors.requestWebauthn(user.id, id) : undefined
  return new KeywardError('mfa_required', { challenge: { token, expiresIn, methods, webauthn } })
}

/** What a login that must add a factor first can add without a session. */
const enrollable = ['totp'] as const

/** See `Sessions.answerFactor`. */
export async function answerFactor(
  needs: SessionsNeeds,
  { token, answer, origin, browser, trustDevice }: LoginAnswer,
): Promise<BegunSession> {
  const { factors } = needs
  const challenge = await factors.findChallenge('login', token)
  const kept = challenge && (JSON.parse(challenge.login) as Kept)
  if (!challenge || !kept || (kept.browser !== undefined) !== (browser !== undefined)) throw expired()
  const login: Waiting = {
    userId: challenge.userId,
    epoch: challenge.epoch,
    amr: challenge.amr,
    ...kept,
    ...(kept.browser && { browser: { ...kept.browser, ...browser } }),
  }
  return pass(needs, login, { answer, origin, challenge, trustDevice })
}

/** How a login that waits can go on. */
export interface WaysOn {
  methods: FactorDue['methods']
  /** How many seconds it waits. */
  expiresIn: number
  webauthn?: object | undefined
  /** For how many days the device would be trusted; undefined when it cannot be. */
  trustDays?: number | undefined
}

/** See `Sessions.describeFactor`. */
export async function describeFactor(
  needs: SessionsNeeds,
  { token, isBrowser, withOptions }: { token: string; isBrowser: boolean; withOptions: boolean },
): Promise<WaysOn> {
  const { factors, clock } = needs
  const challenge = await factors.findChallenge('login', token)
  if (!challenge || ((JSON.parse(challenge.login) as Kept).browser !== undefined) !== isBrowser) throw expired()
  const methods = await factors.methods(challenge.userId)
  const isAsked = withOptions && methods.includes('webauthn')
  const webauthn = isAsked ? await factors.requestWebauthn(challenge.userId, challenge.id) : undefined
  const trustDays = isOfPassword(challenge.amr) ? await factors.trustDays(challenge.userId) : undefined
  return { methods, expiresIn: Math.ceil((challenge.expiresAt - clock.now()) / 1000), webauthn, trustDays }
}

/** Finishes a login with the code that came with the password, without a token. @throws as `answerFactor` */
export const answerAtOnce = (
  needs: SessionsNeeds,
  { user, ...due }: FactorDue,
  { otp, origin, scope, trustDevice }: CodeAtOnce & { scope: string | undefined },
): Promise<BegunSession> =>
  pass(needs, { ...due, userId: user.id, epoch: user.sessionEpoch, scope }, { answer: { otp }, origin, trustDevice })

/** A login that waits for the second factor. */
interface Waiting extends Kept {
  userId: number
  epoch: number
  amr: readonly string[]
}

interface Shown extends Pick<LoginAnswer, 'answer' | 'origin'> {
  challenge?: StoredChallenge
  trustDevice?: boolean | undefined
}

/**
 * Checks the second factor of a login, and begins its session in the same transaction. What counts against the limits
 * is outside of it: a wrong answer stays counted.
 */
async function pass(
  needs: SessionsNeeds,
  login: Waiting,
  { answer, origin, challenge, trustDevice }: Shown,
): Promise<BegunSession> {
  const { store: db, audit, users, factors } = needs
  const { userId, epoch, device, browser, link, scope } = login
  const about = { userId, ip: origin.ip }
  await using guess = await factors.reserveGuess(about, answer)
  const webauthn = challenge && (await useUp(needs, challenge.id, answer))
  const begun = await db.transaction(
    async () => {
      if (!(await users.holdForSession({ id: userId, epoch }))) throw expired()
      const proof = await factors.check({ ...about, challenge: webauthn }, answer)
      if (!proof) return undefined
      if (challenge && !(await factors.endChallenge(challenge.id))) throw expired()
      await guess.giveBack()
      const user = (await users.find(userId))!
      const more: Omit<NewLogin, 'user' | 'amr'> = { origin, device, browser, link }
      const session = await open(needs, { ...more, user, amr: withFactor(login.amr, proof.amr) }).catch(linkFailed)
      const details = { method: proof.method, ...(proof.factorId !== undefined && { factor: proof.factorId }) }
      await audit.record({ ...about, event: 'mfa.passed', sessionId: session.session.id, details })
      const trusted = trustDevice === true && (await trust(needs, { login, session, proof, origin }))
      return { ...session, ...(scope !== undefined && { scope }), ...(trusted && { trusted }) }
    },
    { userId },
  )
  if (begun) return begun
  await guess.keep()
  throw new KeywardError('webauthn' in answer ? 'webauthn_failed' : 'invalid_code')
}

/** Only a login with the password can use the trust. */
const isOfPassword = (amr: readonly string[]): boolean => amr.includes('pwd')

/** Trusts the device of a login. A recovery code trusts none: who shows one has lost a device. */
async function trust(
  { factors }: SessionsNeeds,
  { login, session, proof, origin }: { login: Waiting; session: BegunSession; proof: FactorProof; origin: Origin },
): Promise<NewTrustedDevice | undefined> {
  if (!isOfPassword(login.amr) || proof.method === 'recovery_code') return undefined
  const by = { userId: login.userId, sessionId: session.session.id, ip: origin.ip }
  return factors.trust({ user: session.user, by, name: deviceName(origin.userAgent) })
}

/** Somebody else has linked the account at the provider meanwhile: the whole login begins again. */
export function linkFailed(error: unknown): never {
  throw error instanceof KeywardError && error.code === 'identity_taken' ? expired() : error
}

/**
 * Uses up a try of a login, or its challenge of WebAuthn, before the answer is looked at.
 * @returns the challenge of WebAuthn for an answer to it
 */
async function useUp({ factors }: SessionsNeeds, id: string, answer: FactorAnswer): Promise<string | undefined> {
  if (!('webauthn' in answer)) {
    if (!(await factors.takeTry(id))) throw expired()
    return undefined
  }
  const challenge = await factors.takeWebauthn(id)
  if (challenge === undefined) throw new KeywardError('webauthn_failed')
  return challenge
}

/** The authentication methods of a session after a second factor was shown, each once. */
export const withFactor = (amr: readonly string[], shown: readonly string[]): string[] => [
  ...new Set([...amr.filter((method) => method !== 'mfa'), ...shown.filter((method) => method !== 'mfa'), 'mfa']),
]

export const expired = () => new KeywardError('mfa_token_expired')
