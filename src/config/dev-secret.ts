import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { platform, userInfo } from 'node:os'
import { systemReason } from '../lib/error-reasons.ts'
import type { Random } from '../lib/random.ts'
import { randomId } from '../lib/random.ts'
import { devSecretPath } from './dev-secret-path.ts'
import { isKnownSecret } from './known-secrets.ts'
import { clashMessage, jwtSecretClash } from './load.ts'
import { ConfigError } from './problems.ts'
import type { Config, DraftConfig } from './schema.ts'

export interface DevSecret {
  secret: string
  path: string
  /**
   * True when this call created the file; false when the file existed, or another process created it at the same time.
   */
  created: boolean
}

/**
 * Completes the configuration of a command with `--dev`, in which `SECRET_KEY` may be missing. Reads the missing secret
 * from a file beside the database, and creates the file when it does not exist.
 * @returns `devSecret` only when `draft` has no `SECRET_KEY`
 * @throws ConfigError when the file cannot be used, or when its secret is also the value of `JWT_SECRET`
 */
export function withSecretKey(draft: DraftConfig, random: Random): { config: Config; devSecret?: DevSecret } {
  const { SECRET_KEY } = draft
  if (SECRET_KEY !== undefined) return { config: Object.freeze({ ...draft, SECRET_KEY }) }
  const devSecret = readOrCreateDevSecret(devSecretPath(draft.DATABASE_URL), random)
  const config = Object.freeze({ ...draft, SECRET_KEY: devSecret.secret })
  const clash = jwtSecretClash(config)
  if (clash) throw new ConfigError([{ key: 'JWT_SECRET', message: clashMessage(clash) }])
  return { config, devSecret }
}

/**
 * Returns the secret in the file at `path`; undefined when there is no file.
 * @throws ConfigError when another user can read or owns the file, when its secret is weak, or when the file cannot be
 * read
 */
export const findDevSecret = (path: string): string | undefined => explained(path, () => read(path, userInfo().uid))

/**
 * Returns the secret in the file at `path`. A missing file is created with mode 0600, so only its owner can read it.
 * When several processes start at once, one process creates the file and all processes return the same secret.
 * @param user the id of the user who must own the file
 * @throws ConfigError when another user can read or owns the file, when its secret is weak, or when the file cannot be
 * read or created
 */
export const readOrCreateDevSecret = (path: string, random: Random, user = userInfo().uid): DevSecret =>
  explained(path, () => {
    const existing = read(path, user)
    if (existing !== undefined) return { secret: existing, path, created: false }
    const fresh = Buffer.from(random.bytes(32)).toString('hex')
    if (create(path, fresh, random)) return { secret: fresh, path, created: true }
    const others = read(path, user)
    if (others === undefined) throw refused(path, 'is a broken link, or was deleted while it was read')
    return { secret: others, path, created: false }
  })

function explained<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw refused(
      path,
      `cannot be read or created: ${systemReason(code)} (${code}). Or set SECRET_KEY, or a DATABASE_URL in a writable folder`,
    )
  }
}

function read(path: string, user: number): string | undefined {
  const file = ifThere('ENOENT', () => openSync(path, 'r'))
  if (file === undefined) return undefined
  try {
    const { mode, uid } = fstatSync(file)
    // Windows has no permission bits and reports 0666 for every file, so the check would always fail there.
    if (platform() !== 'win32' && (mode & 0o077) !== 0)
      throw refused(path, `others can read this file; run: chmod 600 ${path}`)
    // The user who created this file knows the secret. This check keeps a start as root from using the file of another
    // user.
    if (platform() !== 'win32' && uid !== user)
      throw refused(
        path,
        'this file belongs to another user, who knows the secret in it; delete it or change its owner',
      )
    const secret = readFileSync(file, 'utf8').trim()
    if (secret.length < 32 || isKnownSecret(secret))
      throw refused(path, 'holds no strong secret; delete it, and a new one is created')
    return secret
  } finally {
    closeSync(file)
  }
}

/**
 * Writes a temporary file and then links it to `path`. Only one process can create the link, and the file at `path` is
 * never incomplete. Returns false when `path` already exists.
 */
function create(path: string, secret: string, random: Random): boolean {
  const draft = `${path}.${randomId(random)}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${secret}\n`)
    fsyncSync(file)
    return ifThere('EEXIST', () => linkSync(draft, path) ?? true) ?? false
  } finally {
    closeSync(file)
    unlinkSync(draft)
  }
}

function ifThere<T>(otherwise: 'ENOENT' | 'EEXIST', attempt: () => T): T | undefined {
  try {
    return attempt()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === otherwise) return undefined
    throw error
  }
}

const refused = (path: string, message: string): ConfigError =>
  new ConfigError([{ key: 'SECRET_KEY', source: path, message }])
