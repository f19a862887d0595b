import { type Login, login } from '../../src/features/accounts/login.ts'
import { cleanUp } from '../../src/features/jobs/clean-up.ts'
import { type RunningJobs, startJobs } from '../../src/features/jobs/jobs.ts'
import { createLimiter, type Limiter, type LimitMet } from '../../src/features/limits/limits.ts'
import { rulesWith } from '../../src/features/limits/overrides.ts'
import { type DrainableServer, drain } from '../../src/features/probes/drain.ts'
import type { Device } from '../../src/features/sessions/device-token.ts'
import type { Deps } from '../../src/service.ts'
import type { StorageStats } from '../../src/storage/store.ts'

/** What happens inside a server's process, without a request. */
export interface Process {
  cleanUp(): Promise<void>
  /** Runs these jobs instead of the server's own. */
  startJobs(list: readonly TestJob[]): RunningJobs
  /** Says at `/readyz` that the process goes, as the signal to stop does. */
  beginDraining(): void
  /** Takes a server out of service. */
  drain(server: DrainableServer): Promise<void>
  hashing(): { queued: number; running: number }
  verifyPassword(password: string, stored: { hash: string; scheme: string }): Promise<{ ok: boolean; rehash: boolean }>
  /** Runs `work` in a transaction of the database that it has open. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** How transactions waited. */
  waits(): StorageStats
  /** Closes the database under the running service. */
  closeDatabase(): Promise<void>
  /** The use case behind `/token`. */
  login(login: Login): Promise<unknown>
  readDeviceToken(token: string): Promise<Device | undefined>
  /** Limits beside the service's own, with a memory of their own, as another process would have. */
  createLimiter(options: { settings: readonly string[]; exceeded: (limit: LimitMet) => Promise<void> }): Limiter
}

export interface TestJob {
  name: string
  every: number
  by: 'one' | 'each'
  run: () => Promise<void>
}

export const processOf = (deps: Deps): Process => ({
  cleanUp: () => cleanUp(deps),
  startJobs: (list) => startJobs(deps, list),
  beginDraining: () => deps.lifecycle.drain(),
  drain: (server) => drain(deps, server),
  hashing: () => deps.passwords.stats(),
  verifyPassword: (password, stored) => deps.passwords.verify(password, stored),
  transaction: (work) => deps.store.transaction(work),
  waits: () => deps.store.stats(),
  closeDatabase: () => deps.store.close(),
  login: (attempt) => login(deps, attempt),
  readDeviceToken: (token) => deps.deviceTokens.read(token),
  createLimiter: ({ settings, exceeded }) =>
    createLimiter({
      store: deps.store,
      clock: deps.clock,
      rules: rulesWith(settings),
      secret: 'a secret of the test',
      enabled: true,
      exceeded,
    }),
})
