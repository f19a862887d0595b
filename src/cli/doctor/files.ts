import { type Stats, statfsSync, statSync } from 'node:fs'
import { platform, userInfo } from 'node:os'
import { dirname } from 'node:path'
import type { DotenvFile } from '../../config/dotenv.ts'
import type { LoadedConfig } from '../../config/load.ts'
import { configKeys, type DraftConfig, fileKey, keySchema } from '../../config/schema.ts'
import type { CommandContext } from '../context.ts'
import { type Finding, ok, problem, problemOf, warning } from './finding.ts'

/** Where Docker and Kubernetes put secrets. There, every user of the container may read them, which is no weakness. */
const CONTAINER_SECRETS = /^\/(?:var\/)?run\/secrets\//

const MIB = 1024 * 1024
/** With less free space, Keyward reports a problem: the write-ahead log alone may take 64 MiB. */
const LITTLE = 64 * MIB
/** With less free space, Keyward warns. */
const MODEST = 512 * MIB

interface Sources {
  env: CommandContext['env']
  dotenv: DotenvFile | undefined
  /** The warnings about the `.env` file as a whole. */
  warnings: LoadedConfig['warnings']
}

/** Checks who else can read or change the database, the `.env` file and the files with secrets, and who owns them. */
export function checkFiles({ DATABASE_URL: target }: DraftConfig, { env, dotenv, warnings }: Sources): Finding[] {
  // Windows has no permission bits and no numeric owners.
  if (platform() === 'win32') return [ok('files', 'Modes and owners are not checked on Windows.')]
  const databaseFiles =
    target.dialect === 'sqlite' && target.path !== ':memory:'
      ? ['', '-wal', '-shm'].map((end) => target.path + end)
      : []
  const secretFiles = configKeys
    .filter((name) => keySchema(name).fileForm)
    .map((name) => (env[fileKey(name)] ?? dotenv?.entries.get(fileKey(name))?.value ?? '').trim())
    .filter((path) => path !== '')
  const findings = [
    ...databaseFiles.flatMap((path) => judge(path, 'holds password hashes and keys', statOf(databaseFiles[0]!))),
    ...(dotenv ? judgeDotenv(dotenv.path, warnings) : []),
    ...secretFiles.flatMap((path) => judge(path, 'holds a secret')),
  ]
  const count = [...databaseFiles, ...secretFiles, ...(dotenv ? [dotenv.path] : [])].filter(statOf).length
  return findings.length > 0 ? findings : [ok('files', `Only their owner can read or change the ${count} files.`)]
}

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

/**
 * Returns the findings about one file.
 * @param holds what makes the file worth protecting, such as `holds a secret`
 * @param main the file whose owner must also own this one: a server could not write to a log of another user
 */
function judge(path: string, holds: string, main?: Stats): Finding[] {
  const found = statOf(path)
  if (!found) return []
  const findings: Finding[] = []
  const { mode, uid } = found
  const user = userInfo().uid
  const close = { subject: path, fix: `Run: chmod 600 ${path}` }
  if ((mode & 0o022) !== 0)
    findings.push(problem('files', { message: `Other users can change this file, which ${holds}.`, ...close }))
  else if ((mode & 0o044) !== 0 && !CONTAINER_SECRETS.test(path))
    findings.push(warning('files', { message: `Other users can read this file, which ${holds}.`, ...close }))
  const give = (owner: string) => ({ subject: path, fix: `Run: chown ${owner} ${path}` })
  if (main && uid !== main.uid)
    findings.push(
      problem('files', {
        message: 'This file and the database belong to different users, so the server may not be able to write.',
        ...give(String(main.uid)),
      }),
    )
  else if (user !== 0 && uid !== user && uid !== 0)
    findings.push(
      warning('files', {
        message: 'This file belongs to another user than the one of this command.',
        ...give(String(user)),
      }),
    )
  return findings
}

/** A `.env` file without secrets may be read by others, so the warnings of the configuration decide about reading. */
function judgeDotenv(path: string, warnings: Sources['warnings']): Finding[] {
  const mode = statOf(path)?.mode ?? 0
  const fix = `Run: chmod 600 ${path}`
  if ((mode & 0o022) !== 0)
    return [
      problem('files', { subject: path, message: 'Other users can change this file, and so every setting.', fix }),
    ]
  return warnings.map(({ message }) => {
    const [what = ''] = message.split('; ')
    const isReadable = what !== message
    return warning('files', {
      subject: path,
      message: `${what.charAt(0).toUpperCase()}${what.slice(1)}.`,
      fix: isReadable ? fix : `Run: chown ${userInfo().uid} ${path}`,
    })
  })
}

/**
 * Checks the free space of the disk with the SQLite file. An upgrade copies the file first, so the space of another copy
 * is needed.
 */
export function checkDisk({ DATABASE_URL: target }: DraftConfig): Finding {
  if (target.dialect !== 'sqlite') return ok('disk', 'The disk of PostgreSQL cannot be seen from here.')
  if (target.path === ':memory:') return ok('disk', 'The database is in memory.')
  const folder = dirname(target.path)
  const fix = 'Free space, or move the database to a larger disk.'
  try {
    const { bavail, bsize } = statfsSync(folder)
    const free = bavail * bsize
    const size = statOf(target.path)?.size ?? 0
    const about = `${Math.floor(free / MIB)} MiB are free for the database of ${Math.ceil(size / MIB)} MiB`
    if (free < LITTLE) return problem('disk', { subject: folder, message: `Only ${about}.`, fix })
    if (free < MODEST || free < size)
      return warning('disk', { subject: folder, message: `Only ${about}; an upgrade copies the file.`, fix })
    return ok('disk', `About ${about}.`, folder)
  } catch (error) {
    return problemOf('disk', error, fix)
  }
}
