import type { App } from '../../src/app.ts'
import { type DrainableServer, drain } from '../../src/cli/drain.ts'
import { answerLiveness } from '../../src/cli/early-liveness.ts'
import { jobsOf } from '../../src/cli/jobs.ts'
import { readLimitSetting } from '../../src/config/limits.ts'
import type { Login } from '../../src/features/accounts/accounts.ts'
import { type RunningJobs, startJobs } from '../../src/features/jobs/jobs.ts'
import {
  createLimits,
  type Limits,
  type Requester,
  type RuleName,
  rulesWith,
} from '../../src/features/limits/limits.ts'
import type { MailKind } from '../../src/features/mail/mail.ts'
import type { Device } from '../../src/features/sessions/sessions.ts'
import type { NextAddress } from '../../src/features/verification/verification.ts'
import type { Service } from '../../src/service.ts'
import type { StorageStats } from '../../src/storage/store.ts'

/** What happens inside a server's process, without a request. */
export interface Process {
  cleanUp(): Promise<void>
  /** Makes the link for ADMIN_EMAIL, as the start of a server does. */
  prepareFirstAdmin(): Promise<void>
  /** Sends the mails that are due, as a job does, and waits for the mail server's answers. */
  deliverMail(): Promise<void>
  /** Sends the logouts that are due, as a job does, and waits for the clients' answers. */
  deliverLogouts(): Promise<void>
  /** Queues a mail to a user, as features do. */
  notify(kind: MailKind, userId: number): Promise<void>
  /** Queues a dead mail again. */
  resendMail(id: string): Promise<'queued' | 'unknown' | 'expired'>
  /** Asks for a mail, as a stranger does. */
  ask(kind: 'verify_email' | 'log_in', email: string): Promise<string>
  /** What a page shows of a link. */
  findLink(page: 'confirm' | 'undo', token: string): Promise<NextAddress | undefined>
  /** Makes a token and a code, and stores nothing. */
  makeProof(purpose: 'verify_email' | 'log_in'): { token: string; code?: string }
  /** Checks a code of a mail; true when it is right. */
  checkCode(typed: { purpose: 'verify_email' | 'log_in'; id: string; code: string }): Promise<boolean>
  /** Checks a code, and uses it up if it is right; undefined when it does not count. */
  useCode(typed: { purpose: 'verify_email' | 'log_in'; id: string; code: string }): Promise<unknown>
  /** Reads the data keys that another process replaced, as a job does. */
  pollSecrets(): Promise<void>
  /** Moves the seals to SECRET_KEY, as the jobs do. */
  maintainSecrets(): Promise<void>
  /** Runs these jobs instead of the server's own. */
  startJobs(list: readonly TestJob[]): RunningJobs
  /** Runs the server's own jobs on the clock. */
  startOwnJobs(): RunningJobs
  /** Says at `/readyz` that the process goes, as the signal to stop does. */
  beginDraining(): void
  /** Answers as a server does before it has made its application. */
  answerEarly: ReturnType<typeof answerLiveness>
  /** Takes a server out of service. */
  drain(server: DrainableServer): Promise<void>
  hashing(): { queued: number; running: number; refusedTotal: number }
  verifyPassword(password: string, stored: { hash: string; scheme: string }): Promise<{ ok: boolean; rehash: boolean }>
  /** Runs `work` in a transaction of the database that it has open. */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /** How transactions waited. */
  waits(): StorageStats
  /** Closes the database under the running service. */
  closeDatabase(): Promise<void>
  /** The use case behind `/token`. */
  login(login: Login): Promise<unknown>
  /** The sessions of browsers and clients, which begin on pages and by grants. */
  sessions: Pick<
    Service['sessions'],
    | 'authenticate'
    | 'begin'
    | 'stepUp'
    | 'answerFactor'
    | 'requireSession'
    | 'cookieOf'
    | 'findByCookie'
    | 'endBrowser'
    | keyof import('../../src/features/sessions/client.ts').ClientSessions
  >
  readDeviceToken(token: string): Promise<Device | undefined>
  /** Limits beside the service's own, with a memory of their own, as another process would have. */
  createLimits(options: { settings: readonly string[]; exceeded: (limit: Exceeded) => Promise<void> }): Limits
}

export interface TestJob {
  name: string
  every: number
  by: 'one' | 'each'
  run: () => Promise<void>
}

export interface Exceeded extends Requester {
  rule: RuleName
}

export const processOf = (service: Service, application: Promise<App['fetch']>): Process => {
  const {
    accounts,
    audit,
    clock,
    config,
    log,
    mails,
    passwords,
    probes,
    proofs,
    secrets,
    sessions,
    signingKeys,
    store,
    verification,
  } = service
  return {
    async cleanUp() {
      for (const { name, run } of jobsOf(service)) if (name === 'clean_up') await run()
    },
    prepareFirstAdmin: () => service.invitations.prepareFirstAdmin(),
    async deliverMail() {
      await mails.deliver()
      await mails.settled()
    },
    async deliverLogouts() {
      await service.logouts.settled()
      await service.logouts.deliver()
      await service.logouts.settled()
      await service.logouts.deliver()
    },
    notify: (kind, userId) => mails.notify(kind, userId, {}),
    resendMail: (id) => mails.resend(id),
    ask: (kind, email) => mails.ask({ kind, email, locale: undefined, client: '192.0.2.1', ip: '192.0.2.1' }),
    findLink: (page, token) =>
      page === 'confirm' ? verification.findForConfirm(token) : verification.findForUndo(token),
    makeProof: (purpose) => proofs.make(purpose),
    checkCode: async ({ purpose, ...typed }) => (await proofs.checkCode(purpose, typed, {})) !== undefined,
    async useCode({ purpose, ...typed }) {
      const proof = await proofs.checkCode(purpose, typed, {})
      return proof && store.transaction(() => proofs.redeem(proof))
    },
    pollSecrets: () => secrets.poll(),
    async maintainSecrets() {
      await secrets.maintain()
      await signingKeys.maintain()
    },
    startJobs: (list) => startJobs(service, list),
    startOwnJobs: () => startJobs(service, jobsOf(service)),
    beginDraining: () => probes.startDraining(),
    answerEarly: answerLiveness(service, application),
    drain: (server) =>
      drain(server, {
        startDraining: probes.startDraining,
        delaySeconds: config.SHUTDOWN_DELAY_SECONDS,
        clock,
        log,
      }),
    hashing: () => passwords.stats(),
    verifyPassword: (password, stored) => passwords.verify(password, stored),
    transaction: (work) => store.transaction(work),
    waits: () => store.stats(),
    closeDatabase: () => store.close(),
    login: (attempt) => accounts.logIn(attempt),
    sessions,
    readDeviceToken: (token) => sessions.readDevice(token),
    createLimits: ({ settings, exceeded }) =>
      createLimits({
        store,
        clock,
        log,
        audit: {
          ...audit,
          record: ({ details, userId, ip }) => exceeded({ rule: details?.rule as RuleName, userId, ip }),
        },
        rules: rulesWith(settings.map((text) => readLimitSetting(text)!)),
        secrets: { macKeys: () => [new Uint8Array(32)] },
        enabled: true,
        undecidedMs: config.HASH_MAX_WAIT_MS + 1_000,
      }),
  }
}
