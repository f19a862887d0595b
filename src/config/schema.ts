import { Object as Members, Optional, type Static, type TSchema } from 'typebox'
import { parseDatabaseUrl } from '../lib/database-url.ts'
import { parseProxy } from '../lib/ip.ts'
import { logLevels } from '../lib/log.ts'
import { factorSettings } from './factor-settings.ts'
import { isHost, isMailAddress, isMailDomain, isOrigin, isPlainLine } from './formats.ts'
import type { KeyFacts } from './kinds.ts'
import {
  choice,
  choices,
  databaseUrl,
  headerSecret,
  keySecret,
  parsedList,
  text,
  texts,
  webAddress,
  whole,
} from './kinds.ts'
import { readLimitSetting } from './limits.ts'
import { mailSettings } from './mail-settings.ts'
import { openidSettings } from './openid-settings.ts'
import { pageSettings } from './page-settings.ts'
import { sessionSettings } from './session-settings.ts'

const claims = ['username', 'email', 'email_verified', 'roles'] as const

const defaultPublicUrl = (port: unknown): string => `http://localhost:${port}`

/**
 * Every setting of Keyward. Each key is the name of the setting in the environment, in `.env` and in `Config`. To add a
 * setting, add an entry here, or in the files of settings that are spread here: loading, checking, `keyward config`, the guide and `.env.example` use the entries.
 */
export const configSchema = Members({
  DATABASE_URL: databaseUrl({
    default: parseDatabaseUrl('sqlite:///./keyward.db'),
    description: 'The database: an SQLite file, or PostgreSQL when one machine is not enough.',
  }),
  SQLITE_SYNCHRONOUS: choice(['FULL', 'NORMAL'], {
    default: 'FULL',
    description:
      'With `FULL` every confirmed write, except a count of a rate limit, survives a power cut; `NORMAL` is faster and may lose the last writes.',
  }),
  SQLITE_CACHE_MB: whole(1, 1_024, {
    default: 16,
    description:
      'How many MiB of the SQLite file are kept in memory; raise it until the data of your active users fits.',
  }),
  POSTGRES_POOL_SIZE: whole(1, 200, {
    default: 10,
    description:
      'The most connections to PostgreSQL that one process opens. A quarter of them never runs a write, so that reads do not wait for writes.',
  }),
  SECRET_KEY: keySecret(32, {
    description: 'The root secret, the same on every replica: it encrypts the keys that are stored in the database.',
    defaultShown: 'none, required; with `--dev` created in a file beside the database',
  }),
  SECRET_KEY_PREVIOUS: Optional(
    keySecret(32, {
      description:
        'The other secret while `SECRET_KEY` is being replaced: the new one before the swap, the old one after it.',
    }),
  ),
  JWT_ALG: choice(['ES256', 'EdDSA', 'RS256', 'HS256'], {
    default: 'ES256',
    description: 'The algorithm that signs access tokens.',
  }),
  JWT_SECRET: Optional(
    keySecret(32, {
      description: 'The key of `HS256`, shared with the services that verify tokens; it must differ from `SECRET_KEY`.',
    }),
  ),
  JWT_COMPAT: choice(['none', 'fastapi'], {
    default: 'none',
    description: 'With `fastapi` (`HS256` only) tokens suit services that read the username from `sub`.',
  }),
  JWT_AUDIENCE: Optional(
    text(isPlainLine, 'one line of text', {
      description: 'The `aud` claim of access tokens.',
      defaultShown: '`PUBLIC_URL`',
      whenUnset: 'PUBLIC_URL',
    }),
  ),
  TOKEN_CLAIMS: choices(claims, { default: [...claims], description: 'Which personal claims access tokens carry.' }),
  KEY_ROTATION_DAYS: whole(0, 3_650, {
    default: 90,
    description: 'After how many days the next signing key replaces the current one; 0 for never.',
  }),
  HOST: text(isHost, 'an IP address or a host name', {
    default: '0.0.0.0',
    dev: { default: '127.0.0.1' },
    description: 'The address to listen on.',
  }),
  PORT: whole(0, 65_535, {
    default: 8000,
    means: { 0: 'the system chooses' },
    description: 'The port to listen on; 0 lets the system choose.',
  }),
  IDLE_TIMEOUT_SECONDS: whole(1, 255, {
    default: 75,
    description:
      'How long an idle connection stays open. Set it higher than the idle time of a proxy or load balancer in front.',
  }),
  PUBLIC_URL: webAddress({
    defaultFrom: ({ PORT }) => defaultPublicUrl(PORT),
    defaultShown: '`http://localhost:<PORT>`',
    description: 'The address under which clients reach Keyward, and the issuer (`iss`) of its tokens.',
  }),
  ACCESS_TOKEN_EXPIRE_MINUTES: whole(1, 1440, { default: 30, description: 'How long an access token is valid.' }),
  ...sessionSettings,
  ...factorSettings,
  BCRYPT_COST: whole(10, 15, {
    default: 12,
    dev: { minimum: 4 },
    description: 'The cost of a password hash; each step up doubles the work of a login.',
  }),
  HASH_MAX_WAIT_MS: whole(100, 60_000, {
    default: 5000,
    description: 'A login that would wait longer than this for its password hash gets 503.',
  }),
  HASH_NICE: whole(0, 19, {
    default: 10,
    description:
      'How much lower the priority of hashing is than that of requests (Linux nice value); 0 turns that off.',
  }),
  PASSWORD_MIN_LENGTH: whole(8, 64, {
    default: 8,
    description: 'The fewest characters of a new password; NIST SP 800-63B asks for 15 where it is the only factor.',
  }),
  REGISTRATION: choice(['open', 'closed'], {
    default: 'open',
    description: 'Whether anybody may register; `keyward users create` always works.',
  }),
  ADMIN_EMAIL: Optional(
    text(isMailAddress, 'an email address', {
      description:
        'While there is no administrator, a start makes a link with which the owner of this address becomes one: mailed, or without `SMTP_URL` in `first-admin.txt` beside the SQLite file.',
    }),
  ),
  REQUIRE_EMAIL_VERIFICATION: choice(['true', 'false'], {
    default: 'false',
    description:
      'With `true` an account is created when its address is proved by mail; `SMTP_URL` is required. Existing accounts stay as they are.',
  }),
  EMAIL_DOMAINS_ALLOWED: texts(isMailDomain, 'mail domains such as example.com', {
    default: [],
    description: 'Only addresses of these domains and their subdomains may register; empty for all.',
  }),
  EMAIL_DOMAINS_BLOCKED: texts(isMailDomain, 'mail domains such as example.com', {
    default: [],
    description: 'Addresses of these domains and their subdomains may not register.',
  }),
  RATE_LIMIT: choice(['on', 'off'], {
    default: 'on',
    description: 'Whether attempts are limited, per account and per client.',
  }),
  LIMITS: parsedList(readLimitSetting, 'limits such as login.account=20/1h+50/1d or register.prefix=off', {
    default: [],
    description: 'Replaces built-in limits: attempts per s, m, h or d, several joined by `+`; or `off`.',
  }),
  TRUSTED_PROXIES: parsedList(parseProxy, 'IP addresses and networks such as 10.0.0.0/8 (never /0)', {
    default: [],
    description: 'The proxies whose `X-Forwarded-For` is trusted.',
  }),
  CORS_ORIGINS: texts(isOrigin, 'origins exactly as browsers send them, such as https://app.example.com', {
    default: [],
    description: 'The web origins whose pages may call Keyward.',
  }),
  ...mailSettings,
  ...openidSettings,
  ...pageSettings,
  AUDIT_DAYS: whole(1, 36_500, { default: 400, description: 'How long the audit log is kept.' }),
  AUDIT_IP_DAYS: whole(0, 36_500, {
    default: 30,
    description: 'After this many days addresses in the audit log are shortened to a network (IPv4 /24, IPv6 /48).',
  }),
  LOG_LEVEL: choice([...logLevels], { default: 'info', description: 'The lowest severity that is logged.' }),
  LOG_FORMAT: choice(['auto', 'json', 'text'], {
    default: 'auto',
    dev: { default: 'text' },
    means: { auto: 'text on a terminal, else JSON' },
    description: 'JSON lines for machines or plain text for a person: `auto` is text on a terminal, else JSON.',
  }),
  SHUTDOWN_DELAY_SECONDS: whole(0, 300, {
    default: 5,
    dev: { default: 0 },
    description: 'How long a stopping process still serves while `/readyz` fails, so that load balancers leave it.',
  }),
  METRICS_TOKEN: Optional(
    headerSecret(16, { description: 'The Bearer token that `/metrics` requires; without it there is no `/metrics`.' }),
  ),
})

export type Config = Readonly<Static<typeof configSchema>>
export type ConfigKey = keyof Config

/**
 * The configuration as `loadConfig` returns it. With `--dev` the `SECRET_KEY` may be missing; `withSecretKey` adds it
 * and returns a `Config`.
 */
export type DraftConfig = Omit<Config, 'SECRET_KEY'> & { readonly SECRET_KEY?: string }

export const configKeys = Object.keys(configSchema.properties) as readonly ConfigKey[]

/**
 * Returns the name of the setting for the path of a file with the value, such as `SECRET_KEY_FILE`. Docker, Kubernetes
 * and systemd pass secrets in files.
 */
export const fileKey = (name: ConfigKey): string => `${name}_FILE`

/** Every name that a setting can have in the environment or in `.env`, names with `_FILE` included. */
export const settingNames: readonly string[] = configKeys.flatMap((name) =>
  keySchema(name).fileForm ? [name, fileKey(name)] : [name],
)

/**
 * Returns the schema and the facts of one setting.
 * @param dev true for the default and the minimum of `--dev`
 */
export function keySchema(name: ConfigKey, dev = false): TSchema & KeyFacts {
  const schema = configSchema.properties[name]
  if (!dev || schema.dev === undefined) return schema
  // TypeBox keeps the kind of a schema in hidden properties, which a spread would lose.
  return Object.assign(Object.create(Object.prototype, Object.getOwnPropertyDescriptors(schema)), schema.dev)
}

/**
 * Returns the configuration of a server that listens on `port`. The system chose `port` when PORT is 0. When PUBLIC_URL
 * is the default for PORT, PUBLIC_URL becomes the default for `port`.
 */
export function withPort(config: Config, port: number): Config {
  const isDefault = config.PUBLIC_URL === defaultPublicUrl(config.PORT)
  return { ...config, PORT: port, PUBLIC_URL: isDefault ? defaultPublicUrl(port) : config.PUBLIC_URL }
}
