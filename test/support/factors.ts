import { eq } from 'drizzle-orm'
import { makeRecoveryCodes } from '../../src/features/factors/recovery-codes.ts'
import { insertPending, setSecret } from '../../src/features/factors/totp.store.ts'
import { codeAt, newSecret, stepAt } from '../../src/features/factors/totp.ts'
import { totpContext } from '../../src/features/factors/use-totp.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { fromBase32 } from '../../src/lib/encoding.ts'
import type { Service } from '../../src/service.ts'

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
  /** Makes ten recovery codes. */
  makeCodes(userId: number): Promise<string[]>
}

export const factorsOf = (service: Service): TestFactors => {
  const { store, clock, random, secrets } = service
  return {
    async addApp(userId) {
      const secret = newSecret(random)
      const now = clock.now()
      const id = await insertPending(store, { userId, name: 'Phone', createdAt: now })
      await setSecret(store, { id, secret: await secrets.seal(totpContext(id), secret) })
      await store.q.update(store.t.totpFactors).set({ confirmedAt: now }).where(eq(store.t.totpFactors.id, id))
      return { id, code: (steps = 0) => codeAt(secret, stepAt(clock.now() + steps * 30 * SECOND)) }
    },
    codeOf: (secret) => codeAt(fromBase32(secret)!, stepAt(clock.now())),
    makeCodes: (userId) =>
      store.transaction(() => makeRecoveryCodes({ store, clock, random, secrets } as never, userId)),
  }
}
