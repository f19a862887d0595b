import {
  hashingOf,
  mailOf,
  registrationOf,
  retentionOf,
  secretsOf,
  sessionsOf,
  signingOf,
  tokensOf,
} from './config/parts.ts'
import type { Config } from './config/schema.ts'
import { type Access, createAccess } from './features/access/access.ts'
import { type Accounts, createAccounts } from './features/accounts/accounts.ts'
import { type Administration, createAdministration } from './features/administration/administration.ts'
import { type ApiKeys, createApiKeys } from './features/api-keys/api-keys.ts'
import { type Audit, createAudit } from './features/audit/audit.ts'
import { createImport, type Import } from './features/import/import.ts'
import { cleanUp, type Job } from './features/jobs/jobs.ts'
import { createLimits, type Limits, rulesWith } from './features/limits/limits.ts'
import {
  createMailbox,
  createMails,
  createSmtp,
  MAIL_POLL_INTERVAL,
  type Mailbox,
  type Mails,
} from './features/mail/mail.ts'
import { createMetrics, type Metrics, type ProcessUsage } from './features/metrics/metrics.ts'
import { createPasswords, type Passwords } from './features/passwords/passwords.ts'
import { createProbes, type Probes } from './features/probes/probes.ts'
import { createProofs, type Proofs } from './features/proofs/proofs.ts'
import { createRoles, type Roles } from './features/roles/roles.ts'
import { openSecrets, type Secrets } from './features/secrets/secrets.ts'
import { createSessions, type Sessions } from './features/sessions/sessions.ts'
import { KEY_POLL_INTERVAL, openSigningKeys, type SigningKeys } from './features/signing-keys/signing-keys.ts'
import { type AccessTokens, createAccessTokens } from './features/tokens/tokens.ts'
import { createUsers, type Users } from './features/users/users.ts'
import { createVerification, type Verification } from './features/verification/verification.ts'
import { type Clock, MINUTE, SECOND, systemClock } from './lib/clock.ts'
import { createLog, errorFields, type Log } from './lib/log.ts'
import { type Random, systemRandom } from './lib/random.ts'
import { type DatabaseSettings, openDatabase, type SchemaPolicy } from './storage/database.ts'
import { embeddedMigrations, pendingMigrations } from './storage/migrate.ts'
import type { Store } from './storage/store.ts'

/**
 * The parts of one process: what all features share, and the public interface of every feature except `import`, `jobs`
 * and `documentation`.
 */
export interface Service {
  config: Config
  clock: Clock
  random: Random
  log: Log
  store: Store
  audit: Audit
  secrets: Secrets
  users: Users
  passwords: Passwords
  limits: Limits
  roles: Roles
  signingKeys: SigningKeys
  tokens: AccessTokens
  apiKeys: ApiKeys
  sessions: Sessions
  access: Access
  accounts: Accounts
  verification: Verification
  administration: Administration
  proofs: Proofs
  mails: Mails
  /** The mails of `--dev` without a mail server. */
  mailbox: Mailbox | undefined
  metrics: Metrics
  probes: Probes
  close(): Promise<void>
}

/** The parts of a service that a test may replace. */
export type Replaceable = Pick<
  Service,
  'log' | 'store' | 'audit' | 'passwords' | 'signingKeys' | 'tokens' | 'sessions' | 'metrics'
>

/** What a process or a test gives to its service. Everything has a default; without `write` nothing is logged. */
export interface Surroundings {
  clock?: Clock
  random?: Random
  /** Writes one line of the log. */
  write?: (line: string) => void
  /** Returns true when `write` writes to a terminal. */
  writesToTerminal?: () => boolean
  usage?: () => ProcessUsage
  /** True with `--dev`: without a mail server, mails go to a mailbox in memory. */
  dev?: boolean
  /**
   * True for a command: the database waits as `SqliteOptions` and `PostgresOptions` say, the signing keys are not
   * prepared, and the process does not count as a running server.
   */
  waitInside?: boolean
  /** `upgrade` (the default) for a server, `require` for a command. */
  schema?: SchemaPolicy
  /** For tests: functions that take the real part and return its replacement. */
  replace?: { [Part in keyof Replaceable]?: (real: Replaceable[Part]) => Replaceable[Part] }
}

/**
 * The composition root: opens the database and the signing keys, and gives every feature what it needs. `app.ts` makes
 * `documentation`, which needs the routes, `openImport` makes `import`, and the server starts the jobs.
 * @throws MigrationError and KeyringError; UnknownHostError, KeywardError or the driver's own error when the database
 * cannot be opened or fails
 */
export async function openService(config: Config, surroundings: Surroundings = {}): Promise<Service> {
  const { clock = systemClock, random = systemRandom, usage = () => noUsage, waitInside, schema } = surroundings
  const used = replacer(surroundings)
  const log = used('log', openLog(config, { clock, ...surroundings }))
  const database = await openDatabase(config, { clock, log, waitInside, schema })
  try {
    const store = used('store', database.store)
    const audit = used('audit', createAudit({ store, clock, retention: retentionOf(config) }))
    const secrets = await openSecrets({ store, clock, random, log, audit, secrets: secretsOf(config) })
    const users = createUsers({ store, clock, macKeys: () => secrets.macKeys('username') })
    const passwords = used('passwords', createPasswords({ clock, log, ...hashingOf(config) }))
    const limits = createLimits({ store, clock, log, audit, secrets, ...limitsOf(config) })
    const roles = createRoles({ store, clock, audit, users })
    const mailbox = surroundings.dev && config.SMTP_URL === undefined ? createMailbox(log) : undefined
    const transport = mailbox ?? smtpOf(config)
    const proofs = createProofs({ store, clock, random, users, limits, secrets })
    const sending = { users, limits, proofs, secrets, transport, ...mailOf(config) }
    const mails = createMails({ store, clock, random, log, ...sending })
    const keysNeeds = { store, clock, random, log, audit, secrets, settings: signingOf(config) }
    // A command's settings may differ from the server's settings, so opening the keys for a command changes no key.
    const signingKeys = used('signingKeys', await openSigningKeys(keysNeeds, { prepare: !waitInside }))
    const tokens = used('tokens', createAccessTokens({ signingKeys, clock, random, settings: tokensOf(config) }))
    const apiKeys = createApiKeys({ store, clock, random, log, audit, roles, secrets })
    const sessions = used(
      'sessions',
      createSessions({
        store,
        clock,
        random,
        log,
        audit,
        users,
        limits,
        tokens,
        secrets,
        mails,
        ...sessionsOf(config),
      }),
    )
    const access = createAccess({ limits, sessions, apiKeys, roles, tokens, issuer: config.PUBLIC_URL })
    const metrics = used('metrics', createMetrics({ passwords, store, clock, usage, mails }))
    const registration = registrationOf(config)
    const account = { store, audit, secrets, apiKeys, users, passwords, roles, sessions }
    const accounts = createAccounts({ ...account, limits, metrics, registration, mails })
    const verification = createVerification({ ...account, clock, limits, proofs, mails })
    const administration = createAdministration({ ...account, limits, accounts, mails })
    const pending = () => pendingMigrations(database.driver, embeddedMigrations(store.dialect))
    const probes = createProbes({ store, clock, signingKeys, mails, pendingMigrations: pending })
    if (!waitInside) {
      await secrets.maintain()
      await secrets.heartbeat()
    }
    const close = async () => {
      // When `leave` fails, the server counts as running for up to three minutes.
      await mails.close()
      await secrets.leave().catch((error) => log.warn('process_not_removed', errorFields(error)))
      await database.store.close()
    }
    const shared = { config, clock, random, log, store, close }
    const accountParts = {
      audit,
      secrets,
      users,
      proofs,
      passwords,
      limits,
      roles,
      accounts,
      administration,
      verification,
      mails,
      mailbox,
    }
    const tokenParts = { signingKeys, tokens, apiKeys, sessions, access }
    return { ...shared, ...accountParts, ...tokenParts, metrics, probes }
  } catch (error) {
    await database.store.close()
    throw error
  }
}

/** The periodic jobs of a server. */
export const jobsOf = ({
  store,
  secrets,
  signingKeys,
  sessions,
  limits,
  audit,
  mails,
  proofs,
}: Service): readonly Job[] => [
  { name: 'process_heartbeat', every: MINUTE, by: 'each', run: secrets.heartbeat },
  { name: 'data_key_poll', every: KEY_POLL_INTERVAL, by: 'each', run: secrets.poll },
  { name: 'data_key_maintenance', every: MINUTE, by: 'one', run: secrets.maintain },
  { name: 'mail', every: MAIL_POLL_INTERVAL, by: 'each', run: mails.deliver },
  { name: 'key_poll', every: KEY_POLL_INTERVAL, by: 'each', run: signingKeys.poll },
  { name: 'checkpoint', every: MINUTE, by: 'each', run: store.checkpoint },
  { name: 'key_maintenance', every: MINUTE, by: 'one', run: signingKeys.maintain },
  {
    name: 'clean_up',
    every: MINUTE,
    by: 'one',
    run: () =>
      cleanUp([
        sessions.cleanUp,
        limits.cleanUp,
        audit.eraseForgotten,
        audit.deleteOldEvents,
        audit.shortenOldAddresses,
        mails.cleanUp,
        mails.wipeExpired,
        proofs.cleanUp,
      ]),
  },
]

/**
 * Opens the feature `import`, which needs a database with the current schema, but no SECRET_KEY and no signing keys.
 * @throws as `openDatabase` with `require`
 */
export async function openImport(
  settings: DatabaseSettings & Pick<Config, 'AUDIT_DAYS' | 'AUDIT_IP_DAYS'>,
  { clock }: { clock: Clock },
): Promise<Import & { close(): Promise<void> }> {
  const { store } = await openDatabase(settings, { clock, waitInside: true, schema: 'require' })
  const audit = createAudit({ store, clock, retention: retentionOf(settings) })
  const users = createUsers({ store, clock, macKeys: noMacKeys })
  return { ...createImport({ clock, users, audit }), close: () => store.close() }
}

/** `users` needs the keys to find the names of deleted users. An import never asks for them: it keeps every name. */
const noMacKeys = () => {
  throw new Error('An import has no keys of MACs')
}

const replacer =
  ({ replace }: Surroundings) =>
  <Part extends keyof Replaceable>(part: Part, real: Replaceable[Part]): Replaceable[Part] =>
    replace?.[part]?.(real) ?? real

function openLog(
  { LOG_LEVEL, LOG_FORMAT }: Config,
  { clock, write = () => {}, writesToTerminal = () => false }: Surroundings & { clock: Clock },
): Log {
  const automatic = () => (writesToTerminal() ? 'text' : 'json')
  return createLog({ level: LOG_LEVEL, format: LOG_FORMAT === 'auto' ? automatic() : LOG_FORMAT, clock, write })
}

const limitsOf = (config: Config) => ({
  enabled: config.RATE_LIMIT === 'on',
  rules: rulesWith(config.LIMITS),
  // The longest wait for the hash of a password, plus one second for the hash itself.
  undecidedMs: config.HASH_MAX_WAIT_MS + SECOND,
})

const smtpOf = ({ SMTP_URL, MAIL_FROM }: Config) =>
  SMTP_URL && MAIL_FROM ? createSmtp({ server: SMTP_URL, from: MAIL_FROM }) : undefined

const noUsage: ProcessUsage = { residentBytes: 0, heapBytes: 0, cpuSeconds: 0 }
