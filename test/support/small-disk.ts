import { readdirSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binaryPath, type RunningBinary, serverSettings, startServer } from './binary.ts'
import { scratchFolder } from './scratch.ts'

export interface FaultyDisk {
  /** Starts Keyward with its database on this disk. */
  start(): Promise<RunningBinary>
  /** From now on no file can grow by more than `spare` bytes (0 if not given), or none can be written. */
  fail(keyward: RunningBinary, spare?: number): void
  recover(keyward: RunningBinary): void
  /** File names in the folder of the database. */
  files(): string[]
  dispose(): Promise<void>
}

const FILE = 'users.db'
const MIB = 1024 * 1024

/**
 * A file system of `size` bytes that fills up, in its own mount namespace, so that nothing of it survives the test. It needs
 * root or user namespaces; undefined otherwise. `folder` leads into it from outside of the namespace.
 */
export async function smallDisk(size = 8 * MIB): Promise<(FaultyDisk & { folder: string }) | undefined> {
  const folder = scratchFolder('disk')
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const keeper = Bun.spawn(
    [
      ...['unshare', '--mount', '--propagation', 'private', ...user, '/bin/sh', '-c'],
      'mount -t tmpfs -o "size=$1,mode=777" keyward "$2" && echo mounted && exec cat >/dev/null',
      ...['sh', String(size), folder],
    ],
    { stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' },
  )
  const { value } = await keeper.stdout.getReader().read()
  if (value === undefined) return undefined
  const inside = join('/proc', String(keeper.pid), 'root', folder)
  const filler = join(inside, 'filler')
  const enter = ['nsenter', '--target', String(keeper.pid), '--mount', '--wd=/']
  if (user.length > 0) enter.push('--user', '--preserve-credentials')
  return {
    folder: inside,
    async start() {
      const env = serverSettings({ databaseUrl: `sqlite:///${join(folder, FILE)}` })
      return startServer([...enter, await binaryPath(), 'serve', '--dev'], { env })
    },
    fail(_keyward, spare = 0) {
      const { bavail, bsize } = statfsSync(inside)
      writeFileSync(filler, Buffer.alloc(bavail * bsize - spare))
    },
    recover: () => truncateSync(filler),
    files: () => readdirSync(inside),
    async dispose() {
      await keeper.stdin.end()
      await keeper.exited
    },
  }
}

/** Limits the size of files that a process writes to `size` bytes (RLIMIT_FSIZE); pipes and sockets do not count. */
export function limitFiles(pid: number, size: number | 'unlimited'): void {
  const { exitCode, stderr } = Bun.spawnSync(['prlimit', '--pid', String(pid), `--fsize=${size}:`])
  if (exitCode !== 0) throw new Error(`prlimit: ${stderr}`)
}

/**
 * A disk on which the process can no longer write to any file, as after a remount read-only. It uses RLIMIT_FSIZE of
 * the process, which needs no privilege. (A file's mode is checked only when it is opened.)
 */
export function unwritableDisk(): FaultyDisk {
  const folder = scratchFolder('disk')
  return {
    async start() {
      const env = serverSettings({ databaseUrl: `sqlite:///${join(folder, FILE)}` })
      return startServer([await binaryPath(), 'serve', '--dev'], { env })
    },
    fail: ({ pid }) => limitFiles(pid, 0),
    recover: ({ pid }) => limitFiles(pid, 'unlimited'),
    files: () => readdirSync(folder),
    dispose: async () => {},
  }
}
