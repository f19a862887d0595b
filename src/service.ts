import * as parts from './config/parts.ts'
import type { Config } from './config/schema.ts'
import { type Access, createAccess } from './features/access/access.ts'
import { type Accounts, createAccounts, createPendingRegistrations } from './features/accounts/accounts.ts'
import { type Administration, createAdministration } from './features/administration/administration.ts'
import { type ApiKeys, createApiKeys } from './features/api-keys/api-keys.ts'
import { type Audit, createAudit } from './features/audit/audit.ts'
import { type Clients, createClients } from './features/clients/clients.ts'
import { createEnrollment, type Enrollment } from './features/enrollment/enrollment.ts'
import { createFactors, type Factors } from './features/factors/factors.ts'
import { createInvitations, findingFirstAdmin, type Invitations } from './features/invitations/invitations.ts'
import { createLimits, type Limits, rulesWith } from './features/limits/limits.ts'
import { createLogouts, type Logouts } from './features/logouts/logouts.ts'
import { createMailbox, createMails, createSmtp, type Mailbox, type Mails } from './features/mail/mail.ts'
import { createMetrics, type Metrics, type ProcessUsage } from './features/metrics/metrics.ts'
import { createApplications, createOpenId, type OpenId } from './features/openid/openid.ts'
import { createPasswords, type Passwords } from './features/passwords/passwords.ts'
import { createProbes, type Probes } from './features/probes/probes.ts'
import { createProofs, type Proofs } from './features/proofs/proofs.ts'
import { createRoles, type Roles } from './features/roles/roles.ts'
import { checkSecrets, openSecrets, type Secrets } from './features/secrets/secrets.ts'
import { createSessions, type Sessions } from './features/sessions/sessions.ts'
import { createSignIn, type SignIn } from './features/sign-in/sign-in.ts'
import { openSigningKeys, type SigningKeys } from './features/signing-keys/signing-keys.ts'
import { createIdentities, createLinks, createSocial, type Social } from './features/social/social.ts'
import { type AccessTokens, createAccessTokens, createRsaSigner } from './features/tokens/tokens.ts'
import { createUsers, type Users } from './features/users/users.ts'
import { createVerification, type Verification } from './features/verification/verification.ts'
import { type Clock, SECOND, systemClock } from './lib/clock.ts'
import { createLog, errorFields, type Log } from './lib/log.ts'
import { createOutgoing, type Outgoing } from './lib/outgoing-fetch.ts'
import { type Random, systemRandom } from './lib/random.ts'
import { openDatabase, type SchemaPolicy } from './storage/database.ts'
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
  /** Sends requests to the addresses of clients and providers. */
  outgoing: Outgoing
  audit: Audit
  secrets: Secrets
  users: Users
  passwords: Passwords
  limits: Limits
  roles: Roles
  signingKeys: SigningKeys
  tokens: AccessTokens
  apiKeys: ApiKeys
  clients: Clients
  openid: OpenId
  factors: Factors
  sessions: Sessions
  access: Access
  accounts: Accounts
  enrollment: Enrollment
  verification: Verification
  invitations: Invitations
  signIn: SignIn
  social: Social
  administration: Administration
  proofs: Proofs
  mails: Mails
  /** Keeps the mails in memory when a server with `--dev` has no mail server; otherwise undefined. */
  mailbox: Mailbox | undefined
  logouts: Logouts
  metrics: Metrics
  probes: Probes
  close(): Promise<void>
}

/** The parts of a service that a test may replace. */
export type Replaceable = Pick<
  Service,
  'log' | 'store' | 'audit' | 'passwords' | 'signingKeys' | 'tokens' | 'logouts' | 'sessions' | 'metrics' | 'outgoing'
>

/**
 * The functions and options that a process or a test gives to its service. Every member has a default. When `write` is
 * absent, nothing is logged.
 */
export interface Surroundings {
  clock?: Clock
  random?: Random
  /** Writes one line of the log. */
  write?: (line: string) => void
  /** Returns true when `write` writes to a terminal. `LOG_FORMAT=auto` then means text. */
  writesToTerminal?: () => boolean
  usage?: () => ProcessUsage
  /** True with `--dev`: mails go to a mailbox in memory when there is no mail server. */
  dev?: boolean
  /**
   * True for a command, which has no other requests to answer. SQLite then blocks the process while it waits for locks,
   * and a PostgreSQL transaction as a whole has no time limit. The start neither creates nor changes signing keys, and
   * the process does not count as a running server.
   */
  waitInside?: boolean
  /** `upgrade`, the default, for a server; `require` for a command, which refuses a database that is not current. */
  schema?: SchemaPolicy
  /** For tests: functions that receive a real part of the service and return the replacement of this part. */
  replace?: { [Part in keyof Replaceable]?: (real: Replaceable[Part]) => Replaceable[Part] }
}

/**
 * The composition root: opens the database and the keys, and gives every feature what it needs. Four features are made
 * elsewhere: `app.ts` makes `documentation`, which needs the routes, `cli/move-users.ts` makes `import` and `export`, and
 * `cli/jobs.ts` lists the `jobs`.
 * @throws MigrationError when the database does not fit this version; KeyringError when SECRET_KEY does not open the
 * stored keys or the signing keys cannot be prepared; TemplateError when a text in TEMPLATES_DIR cannot be used
 * @throws UnknownHostError, KeywardError or the error of the system or the driver when the database cannot be opened or
 * fails
 */
export async function openService(config: Config, surroundings: Surroundings = {}): Promise<Service> {
  const { clock = systemClock, random = systemRandom, usage = () => noUsage, waitInside, schema } = surroundings
  const used = replacer(surroundings)
  const log = used('log', openLog(config, { clock, ...surroundings }))
  const database = await openDatabase(config, { clock, log, waitInside, schema })
  try {
    const store = used('store', database.store)
    const audit = used('audit', createAudit({ store, clock, retention: parts.retentionOf(config) }))
    const secrets = await openSecrets({ store, clock, random, log, audit, secrets: parts.secretsOf(config) })
    const users = createUsers({ store, clock, macKeys: () => secrets.macKeys('username') })
    const passwords = used('passwords', createPasswords({ clock, log, ...parts.hashingOf(config) }))
    const limits = createLimits({ store, clock, log, audit, secrets, ...limitsOf(config) })
    const roles = createRoles({ store, clock, audit, users, ...parts.rolesOf(config) })
    const mailbox = surroundings.dev && config.SMTP_URL === undefined ? createMailbox(log) : undefined
    const transport = mailbox ?? smtpOf(config)
    const proofs = createProofs({ store, clock, random, users, limits, secrets })
    const sending = { users, roles, limits, proofs, secrets, transport, ...parts.mailOf(config) }
    const pending = createPendingRegistrations({ store, clock })
    const findPending = findingFirstAdmin({ store, clock }, pending.findRecipient)
    const mails = createMails({ store, clock, random, log, audit, ...sending, findPending })
    const keysNeeds = { store, clock, random, log, audit, secrets, settings: parts.signingOf(config) }
    // A command does not prepare the stored signing keys, because its settings may differ from the server's settings.
    const signingKeys = used('signingKeys', await openSigningKeys(keysNeeds, { prepare: !waitInside }))
    const rsaSigner = createRsaSigner({ clock, log, startThread: rsaThread, ...(waitInside && { maxThreads: 0 }) })
    const tokenNeeds = { signingKeys, rsaSigner, clock, random, settings: parts.tokensOf(config) }
    const tokens = used('tokens', createAccessTokens(tokenNeeds))
    const apiKeys = createApiKeys({ store, clock, random, log, audit, roles, secrets })
    const kit = { store, clock, random, log, audit }
    const registering = { ...parts.clientsOf(config), allowsHttp: surroundings.dev === true }
    const clients = createClients({ ...kit, limits, roles, secrets, settings: registering })
    const outgoing = used('outgoing', createOutgoing({ addresses: config.OUTGOING_ADDRESSES }))
    const telling = { users, clients, tokens, outgoing, delivers: !waitInside }
    const logouts = used('logouts', createLogouts({ ...kit, ...telling }))
    const factors = createFactors({ ...kit, users, limits, mails, secrets, ...parts.factorsOf(config) })
    const links = createLinks({ ...kit, mails })
    const begun = { users, limits, factors, tokens, secrets, mails, logouts, links }
    const beginning = { ...kit, ...begun, ...parts.sessionsOf(config) }
    const sessions = used('sessions', createSessions(beginning))
    const accessing = { limits, factors, clients, sessions, apiKeys, roles, tokens }
    const access = createAccess({ ...accessing, issuer: config.PUBLIC_URL })
    const metrics = used('metrics', createMetrics({ passwords, store, clock, usage, mails, logouts }))
    const registration = parts.registrationOf(config)
    const account = { store, clock, log, audit, secrets, apiKeys, users, passwords, roles, sessions }
    const mailing = { limits, proofs, mails }
    const identities = createIdentities({ store, audit })
    const applications = createApplications(store)
    const more = { random, factors, identities, applications, registration, pending }
    const accounts = createAccounts({ ...account, ...more, proofs, limits, metrics, mails })
    const enrolling = { store, limits, users, factors, sessions, accounts, identities, proofs, mails }
    const enrollment = createEnrollment(enrolling)
    const proving = { ...account, ...mailing, accounts, identities, metrics, factors }
    const verification = createVerification({ ...proving, ...parts.verificationOf(config) })
    const inviting = { ...account, random, proofs, mails, identities, factors, ...parts.firstAdminOf(config) }
    const invitations = createInvitations(inviting)
    const signIn = createSignIn({ clock, random, secrets, accounts, sessions })
    const social = createSocial({ ...proving, random, factors, verification, outgoing, publicUrl: config.PUBLIC_URL })
    const signing = { secrets, limits, factors, clients, sessions, tokens }
    const openid = createOpenId({ ...kit, ...signing, ...parts.openIdOf(config) })
    const managing = { clients, limits, accounts, mails, invitations, signingKeys, social, factors }
    const administration = createAdministration({ ...account, ...managing })
    const migrations = () => pendingMigrations(database.driver, embeddedMigrations(store.dialect))
    const probes = createProbes({ store, clock, signingKeys, mails, pendingMigrations: migrations })
    if (!waitInside) {
      await secrets.maintain()
      await secrets.heartbeat()
    }
    const close = async () => {
      await Promise.all([mails.close(), logouts.close()])
      await rsaSigner.close()
      // When `leave` fails, other servers count this server as running for up to three minutes.
      await secrets.leave().catch((error) => log.warn('process_not_removed', errorFields(error)))
      await database.store.close()
    }
    const shared = { config, clock, random, log, store, outgoing, close }
    const accountParts = {
      audit,
      secrets,
      users,
      passwords,
      limits,
      roles,
      accounts,
      enrollment,
      social,
      administration,
      verification,
      invitations,
      signIn,
    }
    const mailParts = { proofs, mails, mailbox }
    const tokenParts = { signingKeys, tokens, apiKeys, clients, logouts, factors, sessions, access, openid }
    return { ...shared, ...accountParts, ...mailParts, ...tokenParts, metrics, probes }
  } catch (error) {
    await database.store.close()
    throw error
  }
}

/**
 * Checks that SECRET_KEY and SECRET_KEY_PREVIOUS fit the database. Writes nothing to the database.
 * @throws KeyringError when a stored key was sealed with another secret
 * @throws MigrationError when the schema is not current, and the errors of `openDatabase`
 */
export async function checkSecretKey(config: Config, { clock }: { clock: Clock }): Promise<void> {
  const { store } = await openDatabase(config, { clock, waitInside: true, schema: 'require' })
  try {
    await checkSecrets({ store, secrets: parts.secretsOf(config) })
  } finally {
    await store.close()
  }
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
  // The longest wait for the hash of a password, plus one second for the hash. The outcome of an attempt is known then.
  undecidedMs: config.HASH_MAX_WAIT_MS + SECOND,
})

const smtpOf = ({ SMTP_URL, MAIL_FROM }: Config) =>
  SMTP_URL && MAIL_FROM ? createSmtp({ server: SMTP_URL, from: MAIL_FROM }) : undefined

const noUsage: ProcessUsage = { residentBytes: 0, heapBytes: 0, cpuSeconds: 0 }

/** Starts `rsa-worker.ts`. The script `compile` names this file too, as an entry point of the executable. */
const rsaThread = () =>
  new Worker(new URL('./features/tokens/rsa-worker.ts', import.meta.url), { smol: true, ref: false })
