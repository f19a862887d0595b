import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * One temporary folder per test process for databases and everything else that must not survive the run. A shell waits
 * for the end of its standard input, which comes however the process ends, SIGKILL included. Then it stops every
 * PostgreSQL in the folder and removes the folder.
 */
interface Scratch {
  root: string
  caretaker: Bun.Subprocess<'pipe', 'ignore', 'ignore'>
}

let scratch: Scratch | undefined
let folders = 0

/** A new empty folder, removed when the test process ends. Other users may enter it and its parents. */
export function scratchFolder(name: string): string {
  scratch ??= openScratch()
  const folder = join(scratch.root, `${name}-${++folders}`)
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  return folder
}

/** Stops everything in the scratch folder and removes it; resolves when both are done. The next use opens a new one. */
export async function closeScratch(): Promise<void> {
  const closing = scratch
  scratch = undefined
  await closing?.caretaker.stdin.end()
  await closing?.caretaker.exited
}

function openScratch(): Scratch {
  const base = searchableBase()
  sweep(base)
  const root = mkdtempSync(join(base, `${PREFIX}${process.pid}-`))
  chmodSync(root, 0o755)
  const caretaker = Bun.spawn(caretakerCommand(root), { ...quiet, stdin: 'pipe' })
  caretaker.unref()
  return { root, caretaker }
}

/** A folder that the servers of root, which run as another user, can reach: not in root's home. */
function searchableBase(): string {
  if (process.getuid?.() !== 0) return tmpdir()
  const base = [tmpdir(), '/tmp', '/var/tmp'].find(searchableByOthers)
  if (base === undefined) throw new Error('no temporary folder that other users may search; set TMPDIR to one')
  return base
}

function searchableByOthers(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    for (let at = folder; ; at = dirname(at)) {
      if ((statSync(at).mode & 0o001) === 0) return false
      if (at === dirname(at)) return true
    }
  } catch {
    return false
  }
}

/** Removes folders whose process and caretaker were both killed, by an earlier container stop or lack of memory. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner)))
      Bun.spawn(caretakerCommand(join(base, name)), { ...quiet, stdin: 'ignore' }).unref()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const PREFIX = 'keyward-test-'

// A terminal's Ctrl-C reaches the whole process group: the caretaker leaves it, and ignores other signals.
const quiet = { cwd: '/', stdout: 'ignore', stderr: 'ignore', detached: true } as const

const caretakerCommand = (root: string): string[] => ['/bin/sh', '-c', CARETAKER, 'keyward-test-caretaker', root]

// SIGQUIT is PostgreSQL's immediate shutdown; SIGCONT lets a server that a test had stopped receive it. A pid counts
// only while its command line names our folder, so neither a reused pid nor a zombie is ever signalled or waited for.
const CARETAKER = `
root=$1
trap '' HUP INT TERM
cat >/dev/null
command_line() { tr '\\000' ' ' <"/proc/$1/cmdline" || ps -o args= -p "$1"; }
ours() { command_line "$1" | grep -qF "$root/"; }
round=0
while [ -d "$root" ] && [ $round -lt 20 ]; do
  for file in "$root"/*/data/postmaster.pid; do
    pid=$(head -n 1 "$file") || continue
    ours "$pid" && kill -QUIT "$pid" && kill -CONT "$pid"
    waited=0
    while ours "$pid"; do
      waited=$((waited + 1))
      [ $waited -lt 200 ] || kill -KILL "$pid"
      sleep 0.05
    done
  done
  rm -rf "$root" && break
  round=$((round + 1))
  sleep 0.1
done
`
