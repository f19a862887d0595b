import { dirname, join } from 'node:path'
import { DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { isLoopback } from '../lib/ip.ts'
import type { Config, DraftConfig } from './schema.ts'

/* What each feature gets of the configuration. `service.ts` passes it on. */

/**
 * Returns the root secrets. SECRET_KEY is first, because new seals use the first secret that every running server has.
 */
export const secretsOf = ({ SECRET_KEY, SECRET_KEY_PREVIOUS }: Config): [string, ...string[]] =>
  SECRET_KEY_PREVIOUS === undefined ? [SECRET_KEY] : [SECRET_KEY, SECRET_KEY_PREVIOUS]

/** The RP ID of passkeys. */
export const rpIdOf = ({ WEBAUTHN_RP_ID, PUBLIC_URL }: Pick<Config, 'WEBAUTHN_RP_ID' | 'PUBLIC_URL'>): string =>
  WEBAUTHN_RP_ID ?? new URL(PUBLIC_URL).hostname

export const retentionOf = (config: Pick<Config, 'AUDIT_DAYS' | 'AUDIT_IP_DAYS'>) => ({
  days: config.AUDIT_DAYS,
  ipDays: config.AUDIT_IP_DAYS,
})

export const hashingOf = (config: Config) => ({
  minLength: config.PASSWORD_MIN_LENGTH,
  cost: config.BCRYPT_COST,
  maxWaitMs: config.HASH_MAX_WAIT_MS,
  nice: config.HASH_NICE,
  fairness: config.RATE_LIMIT === 'on',
})

export const signingOf = (config: Config) => ({
  alg: config.JWT_ALG,
  hmacSecret: config.JWT_SECRET,
  tokenLifetime: config.ACCESS_TOKEN_EXPIRE_MINUTES * MINUTE,
  idTokenLifetime: config.ID_TOKEN_MINUTES * MINUTE,
  rotationDays: config.KEY_ROTATION_DAYS,
})

export const tokensOf = (config: Config) => ({
  issuer: config.PUBLIC_URL,
  audience: config.JWT_AUDIENCE,
  compat: config.JWT_COMPAT,
  claims: config.TOKEN_CLAIMS,
  lifetime: config.ACCESS_TOKEN_EXPIRE_MINUTES * MINUTE,
  idTokenLifetime: config.ID_TOKEN_MINUTES * MINUTE,
})

/** Why no client can be registered with these settings; undefined when clients can be registered. */
function clientsUnavailable({ JWT_ALG, JWT_COMPAT, PAGES, PUBLIC_URL }: DraftConfig): string | undefined {
  if (JWT_COMPAT === 'fastapi')
    return 'No client can be registered with JWT_COMPAT=fastapi: its tokens have no audience. Set JWT_COMPAT=none and another JWT_ALG than HS256'
  if (JWT_ALG === 'HS256')
    return 'No client can be registered with JWT_ALG=HS256: clients cannot verify its tokens, because the key is secret. Set JWT_ALG to ES256, EdDSA or RS256'
  if (PAGES === 'off')
    return 'No client can be registered with PAGES=off: users sign in to a client on a page of Keyward'
  const { protocol, hostname } = new URL(PUBLIC_URL)
  if (protocol !== 'https:' && !isLoopback(hostname))
    return 'No client can be registered with a PUBLIC_URL of http that is not this machine: its pages have no safe cookie. Set PUBLIC_URL to an https address'
  return undefined
}

export const clientsOf = (config: DraftConfig) => ({
  issuer: config.PUBLIC_URL,
  audience: config.JWT_AUDIENCE,
  unavailable: clientsUnavailable(config),
})

export const openIdOf = (config: Config) => ({
  issuer: config.PUBLIC_URL,
  lifetimes: { codeSeconds: config.AUTH_CODE_SECONDS, deviceCodeMinutes: config.DEVICE_CODE_MINUTES },
  settings: {
    isProvider: clientsUnavailable(config) === undefined,
    hasPasswordGrant: config.PASSWORD_GRANT === 'on',
    hasPasskeys: config.PASSKEYS === 'on',
  },
})

/** A browser session with "keep me signed in" has no idle expiry of its own. */
function rememberedOf({ REMEMBER_ME_DAYS, SESSION_MAX_DAYS }: Config) {
  const lifetime = Math.min(REMEMBER_ME_DAYS, SESSION_MAX_DAYS) * DAY
  return { idle: lifetime, absolute: lifetime }
}

export const factorsOf = (config: DraftConfig) => ({
  settings: {
    app: config.APP_NAME,
    maxPerUser: config.MAX_FACTORS_PER_USER,
    hasPasskeys: config.PASSKEYS === 'on',
    rpId: rpIdOf(config),
    required: config.REQUIRE_SECOND_FACTOR,
    grace: config.SECOND_FACTOR_GRACE_DAYS * DAY,
    origins: [new URL(config.PUBLIC_URL).origin, ...config.WEBAUTHN_ORIGINS],
    allowsSynced: config.PASSKEYS_SYNCED === 'allow',
    trustedDays: config.TRUSTED_DEVICE_DAYS,
  },
})

export const sessionsOf = (config: Config) => ({
  maxPerUser: config.MAX_SESSIONS_PER_USER,
  lifetimes: {
    idle: config.REFRESH_TOKEN_EXPIRE_DAYS * DAY,
    absolute: config.SESSION_MAX_DAYS * DAY,
    browser: { idle: config.BROWSER_SESSION_HOURS * HOUR, absolute: DAY },
    remembered: rememberedOf(config),
    client: { idle: config.CLIENT_REFRESH_DAYS * DAY, absolute: config.SESSION_MAX_DAYS * DAY },
    grace: config.REFRESH_TOKEN_GRACE_SECONDS * SECOND,
    retry: config.REFRESH_TOKEN_RETRY_SECONDS * SECOND,
  },
})

/** With `all`, nobody is without a second factor, an administrator neither. */
export const rolesOf = ({ REQUIRE_SECOND_FACTOR: required }: Config) => ({
  adminRequiresSecondFactor: required !== 'none',
})

export const registrationOf = (config: Config) => ({
  open: config.REGISTRATION !== 'closed',
  needsProof: config.REQUIRE_EMAIL_VERIFICATION === 'true',
  domainsAllowed: config.EMAIL_DOMAINS_ALLOWED,
  domainsBlocked: config.EMAIL_DOMAINS_BLOCKED,
})

export const pagesOf = (config: Config) => ({
  publicUrl: config.PUBLIC_URL,
  app: config.APP_NAME,
  support: config.SUPPORT_EMAIL,
  appUrl: config.APP_URL,
  logo: config.BRAND_LOGO,
  color: config.BRAND_COLOR,
})

export const signInOf = (config: Config) => ({
  rememberDays: config.REMEMBER_ME_DAYS,
  rpId: config.PASSKEYS === 'on' ? rpIdOf(config) : undefined,
  mayRegister: config.REGISTRATION !== 'closed',
  legal: { terms: config.TERMS_URL, privacy: config.PRIVACY_URL },
})

export const mailOf = (config: Config) => ({
  brand: { app: config.APP_NAME, support: config.SUPPORT_EMAIL },
  settings: { maxAttempts: config.MAIL_MAX_ATTEMPTS, templatesDir: config.TEMPLATES_DIR },
  links: {
    publicUrl: config.PUBLIC_URL,
    linkUrl: config.PAGES === 'off' ? config.LINK_URL : undefined,
    loginUrl: config.LOGIN_URL,
  },
})

export const verificationOf = ({ EMAIL_LOGIN, LOGIN_URL }: Config) => ({
  settings: { emailLogin: EMAIL_LOGIN === 'on', hasLoginLink: LOGIN_URL !== undefined },
})

/** The file is beside the SQLite file; undefined without one. */
export const firstAdminOf = ({ ADMIN_EMAIL, DATABASE_URL: database }: DraftConfig) => ({
  settings: {
    adminEmail: ADMIN_EMAIL,
    file:
      database.dialect === 'sqlite' && database.path !== ':memory:'
        ? join(dirname(database.path), 'first-admin.txt')
        : undefined,
  },
})
