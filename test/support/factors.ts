import { eq } from 'drizzle-orm'
import type { CredentialKind } from '../../src/features/factors/factors.ts'
import { makeRecoveryCodes } from '../../src/features/factors/recovery-codes.ts'
import { insertPending, setSecret } from '../../src/features/factors/totp.store.ts'
import { codeAt, newSecret, stepAt } from '../../src/features/factors/totp.ts'
import { totpContext } from '../../src/features/factors/use-totp.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { fromBase32 } from '../../src/lib/encoding.ts'
import type { Service } from '../../src/service.ts'
import { type AuthenticatorBehaviour, type SoftAuthenticator, softAuthenticator } from './authenticator.ts'

/** An authenticator app in a test. */
export interface Authenticator {
  id: number
  /** The code at the time of the app's clock, or `steps` later. */
  code(steps?: number): string
}

/** What tests do with second factors without the routes that people use. */
export interface TestFactors {
  /** Adds a confirmed authenticator app. No code of it was used. */
  addApp(userId: number): Promise<Authenticator>
  /** The code of a secret in base32, at the time of the app's clock. */
  codeOf(secret: string): string
  /** Adds a passkey, or a security key, which an authenticator in software holds. */
  addPasskey(userId: number, how?: NewTestPasskey): Promise<SoftAuthenticator & { id: string }>
  /** A login that waits until its user has a factor. @param stage see `noteStage` @returns the `mfa_token` */
  beginEnrollment(userId: number, stage?: string): Promise<string>
  /** Makes ten recovery codes. */
  makeCodes(userId: number): Promise<string[]>
}

export interface NewTestPasskey extends Partial<AuthenticatorBehaviour> {
  kind?: CredentialKind
  name?: string
}

export const factorsOf = (service: Service): TestFactors => {
  const { store, clock, random, secrets, users, factors, config } = service
  return {
    async addPasskey(userId, { kind = 'passkey', name, ...behaviour } = {}) {
      const user = (await users.find(userId))!
      const by = { userId, sessionId: `session of ${userId}`, ip: '203.0.113.9' }
      const isKey = kind === 'security_key'
      const like = isKey ? { verifiesUser: false, synced: false, counter: 0 } : {}
      const authenticator = softAuthenticator({ origin: new URL(config.PUBLIC_URL).origin, ...like, ...behaviour })
      const { challengeId, options } = await factors.beginPasskey({ user, by, kind })
      const checked = await factors.checkPasskey({ by, challengeId, response: authenticator.create(options) })
      const { factor } = await store.transaction(() => factors.addPasskey({ by, checked, name }))
      return { ...authenticator, id: factor.id }
    },
    async addApp(userId) {
      const secret = newSecret(random)
      const now = clock.now()
      const id = await insertPending(store, { userId, name: 'Phone', createdAt: now })
      await setSecret(store, { id, secret: await secrets.seal(totpContext(id), secret) })
      await store.q.update(store.t.totpFactors).set({ confirmedAt: now }).where(eq(store.t.totpFactors.id, id))
      return { id, code: (steps = 0) => codeAt(secret, stepAt(clock.now() + steps * 30 * SECOND)) }
    },
    codeOf: (secret) => codeAt(fromBase32(secret)!, stepAt(clock.now())),
    async beginEnrollment(userId, stage) {
      const { sessionEpoch: epoch } = (await service.users.find(userId))!
      const login = { purpose: 'enroll', userId, epoch, amr: ['pwd'], login: '{}', ip: '192.0.2.1' } as const
      const { id, token } = await service.factors.beginChallenge(login)
      if (stage !== undefined) await service.factors.noteStage(id, stage)
      return token
    },
    makeCodes: (userId) =>
      store.transaction(() => makeRecoveryCodes({ store, clock, random, secrets } as never, userId)),
  }
}
