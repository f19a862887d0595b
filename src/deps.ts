import type { Config } from './config/schema.ts'
import { type Keyring, openKeyring } from './features/keys/keyring.ts'
import { createDeviceTokens, type DeviceTokens } from './features/sessions/device-token.ts'
import { createRefreshTokens, type RefreshTokens } from './features/sessions/refresh-token.ts'
import { type AccessTokens, createAccessTokens } from './features/tokens/access-token.ts'
import { createPasswords, type Passwords } from './features/users/password.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { parseDatabaseUrl } from './lib/database-url.ts'
import { createLog, type Log } from './lib/log.ts'
import { type Random, systemRandom } from './lib/random.ts'
import { embeddedMigrations, migrate } from './storage/migrate.ts'
import { openStorage } from './storage/open.ts'
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
  refreshTokens: RefreshTokens
  deviceTokens: DeviceTokens
}

/** What tests replace. */
export interface Surroundings {
  clock?: Clock
  random?: Random
  log?: Log
  write?: (line: string) => void
}

/** Opens the database of a configuration, as a server does or as a command beside one. */
export function openDatabase(
  config: Pick<Config, 'DATABASE_URL' | 'SQLITE_SYNCHRONOUS' | 'POSTGRES_POOL_SIZE'>,
  { waitInside = false } = {},
): { store: Store; driver: Driver } {
  return openStorage({
    target: parseDatabaseUrl(config.DATABASE_URL)!,
    synchronous: config.SQLITE_SYNCHRONOUS,
    poolSize: config.POSTGRES_POOL_SIZE,
    // Waiting for another process is real time even where a test stops the clock of the rules.
    clock: systemClock,
    random: systemRandom,
    waitInside,
  })
}

/**
 * The composition root: opens everything, brings the database to this executable's schema and makes the first key.
 * @throws MigrationError, KeyringError, and whatever the database says when it cannot be opened
 */
export async function createDeps(
  config: Config,
  { clock = systemClock, random = systemRandom, write = () => {}, log }: Surroundings = {},
): Promise<Deps> {
  log ??= createLog({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, clock, write })
  const { store, driver } = openDatabase(config)
  try {
    const { applied, copy } = await migrate(driver, embeddedMigrations(store.dialect), clock)
    if (applied.length > 0) log.info('database_migrated', { applied: applied.join(' '), copy })
    const keyring = await openKeyring({ config, store, clock, random })
    const passwords = createPasswords({
      cost: config.BCRYPT_COST,
      maxWaitMs: config.HASH_MAX_WAIT_MS,
      nice: config.HASH_NICE,
      fairness: config.RATE_LIMIT === 'on',
      clock,
      log,
    })
    const accessTokens = createAccessTokens({ config, keyring, clock, random })
    const secrets = secretsOf(config)
    const refreshTokens = createRefreshTokens(secrets)
    const deviceTokens = createDeviceTokens({ secrets, clock, random })
    return { config, clock, random, log, store, passwords, keyring, accessTokens, refreshTokens, deviceTokens }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** The present SECRET_KEY, then the previous one while it is being replaced. */
const secretsOf = ({ SECRET_KEY, SECRET_KEY_PREVIOUS }: Config): [string, ...string[]] =>
  SECRET_KEY_PREVIOUS === undefined ? [SECRET_KEY] : [SECRET_KEY, SECRET_KEY_PREVIOUS]

export const closeDeps = ({ store }: Deps): Promise<void> => store.close()
