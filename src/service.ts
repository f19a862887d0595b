import type { Config } from './config/schema.ts'
import { type ApiKeyMac, createApiKeyMac } from './features/api-keys/api-keys.ts'
import { record } from './features/audit/audit.ts'
import { createLimiter, type Limiter } from './features/limits/limits.ts'
import { rulesWith } from './features/limits/overrides.ts'
import { createMetrics, type Metrics, type ProcessUsage } from './features/metrics/metrics.ts'
import { createPasswords, type Passwords } from './features/passwords/passwords.ts'
import { createLifecycle, type Lifecycle } from './features/probes/lifecycle.ts'
import { createDeviceTokens, type DeviceTokens } from './features/sessions/device-token.ts'
import { createRefreshTokens } from './features/sessions/refresh-token.ts'
import { type Keyring, openKeyring } from './features/signing-keys/keyring.ts'
import { type AccessTokens, createAccessTokens } from './features/tokens/tokens.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { parseDatabaseUrl } from './lib/database-url.ts'
import { createLog, type Log } from './lib/log.ts'
import { type Random, systemRandom } from './lib/random.ts'
import { embeddedMigrations, migrate, pendingMigrations } from './storage/migrate.ts'
import { openStorage, type StorageOptions } from './storage/open.ts'
import type { Driver, Store } from './storage/store.ts'

/** Everything a use case may depend on; each names the part it needs as a `Pick`. */
export interface Deps {
  config: Config
  clock: Clock
  random: Random
  log: Log
  store: Store
  passwords: Passwords
  keyring: Keyring
  accessTokens: AccessTokens
  metrics: Metrics
  lifecycle: Lifecycle
  /** Names of this executable's migrations that the database lacks now. */
  pendingMigrations: () => Promise<readonly string[]>
  refreshTokensOf: ReturnType<typeof createRefreshTokens>
  deviceTokens: DeviceTokens
  apiKeyMac: ApiKeyMac
  limits: Limiter
}

/** For each part, a function from the real one to the one that everything else gets. */
export type Replacements = { [Part in keyof Deps]?: (real: Deps[Part]) => Deps[Part] }

/** What tests replace. */
export interface Surroundings {
  clock?: Clock
  random?: Random
  log?: Log
  write?: (line: string) => void
  /** See `CommandContext.printsToTerminal`. */
  writesToTerminal?: () => boolean
  usage?: () => ProcessUsage
  /** See `StorageOptions.waitInside`. */
  waitInside?: boolean
  replace?: Replacements
}

/** Opens the database of a configuration, as a server does or as a command beside one. */
export function openDatabase(
  config: Pick<Config, 'DATABASE_URL' | 'SQLITE_SYNCHRONOUS' | 'POSTGRES_POOL_SIZE'>,
  options: Pick<StorageOptions, 'waitInside' | 'inspect' | 'log'> = {},
): Promise<{ store: Store; driver: Driver }> {
  return openStorage({
    target: parseDatabaseUrl(config.DATABASE_URL)!,
    synchronous: config.SQLITE_SYNCHRONOUS,
    poolSize: config.POSTGRES_POOL_SIZE,
    // Waiting for another process is real time even where a test stops the clock of the rules.
    clock: systemClock,
    random: systemRandom,
    ...options,
  })
}

/**
 * The composition root: opens everything, brings the database to this executable's schema and makes the first key.
 * @throws MigrationError, KeyringError, and whatever the database says when it cannot be opened
 */
export async function createDeps(
  config: Config,
  {
    clock = systemClock,
    random = systemRandom,
    write = () => {},
    writesToTerminal = () => false,
    usage = () => noUsage,
    log: givenLog,
    waitInside,
    replace = {},
  }: Surroundings = {},
): Promise<Deps> {
  const used = <Part extends keyof Deps>(part: Part, real: Deps[Part]): Deps[Part] => replace[part]?.(real) ?? real
  const realLog =
    givenLog ?? createLog({ level: config.LOG_LEVEL, format: logFormat(config, writesToTerminal), clock, write })
  const log = used('log', realLog)
  const { store: realStore, driver } = await openDatabase(config, { log, waitInside })
  const store = used('store', realStore)
  try {
    const { applied, copy } = await migrate(driver, embeddedMigrations(store.dialect), clock)
    if (applied.length > 0) log.info('database_migrated', { applied: applied.join(' '), copy })
    const realKeyring = await openKeyring({ config, store, clock, random }, { prepare: !waitInside })
    const keyring = used('keyring', realKeyring)
    const realPasswords = createPasswords({
      cost: config.BCRYPT_COST,
      maxWaitMs: config.HASH_MAX_WAIT_MS,
      nice: config.HASH_NICE,
      fairness: config.RATE_LIMIT === 'on',
      clock,
      log,
    })
    const passwords = used('passwords', realPasswords)
    const accessTokens = used('accessTokens', createAccessTokens({ config, keyring, clock, random }))
    const metrics = createMetrics({ passwords, store, clock, usage })
    const lifecycle = createLifecycle()
    const secrets = secretsOf(config)
    const refreshTokensOf = createRefreshTokens(secrets)
    const deviceTokens = createDeviceTokens({ secrets, clock, random })
    return {
      config,
      clock,
      random,
      log,
      store,
      passwords,
      keyring,
      accessTokens,
      metrics,
      lifecycle,
      pendingMigrations: () => pendingMigrations(driver, embeddedMigrations(store.dialect)),
      refreshTokensOf,
      deviceTokens,
      apiKeyMac: createApiKeyMac(secrets),
      limits: createLimiter({
        store,
        clock,
        rules: rulesWith(config.LIMITS),
        secret: config.SECRET_KEY,
        enabled: config.RATE_LIMIT === 'on',
        exceeded: async ({ rule, userId, ip }) => {
          await record({ store, clock }, { event: 'limit.exceeded', userId, ip, details: { rule } })
          store.afterCommit(() => log.warn('limit_exceeded', { rule, user_id: userId }))
        },
      }),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

const logFormat = ({ LOG_FORMAT }: Pick<Config, 'LOG_FORMAT'>, toTerminal: () => boolean): 'json' | 'text' => {
  if (LOG_FORMAT !== 'auto') return LOG_FORMAT
  return toTerminal() ? 'text' : 'json'
}

/** The present SECRET_KEY, then the previous one while it is being replaced. */
const secretsOf = ({ SECRET_KEY, SECRET_KEY_PREVIOUS }: Config): [string, ...string[]] =>
  SECRET_KEY_PREVIOUS === undefined ? [SECRET_KEY] : [SECRET_KEY, SECRET_KEY_PREVIOUS]

const noUsage: ProcessUsage = { residentBytes: 0, heapBytes: 0, cpuSeconds: 0 }

export const closeDeps = ({ store }: Deps): Promise<void> => store.close()
