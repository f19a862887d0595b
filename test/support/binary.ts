import { copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildRequest, type RequestOptions, testSecret } from './app.ts'
import { scratchFolder } from './scratch.ts'

export interface Finished {
  exitCode: number
  stdout: string
  stderr: string
}

export interface CommandOptions {
  /** In addition to a PATH and an empty HOME; nothing comes from the test's own environment. */
  env?: Record<string, string>
  /** The working directory; a new empty one by default. */
  cwd?: string
  /** The executable, if it is not the one under test: a copy with a `.env` beside it. */
  executable?: string
  /** Kills the process with SIGKILL when aborted. */
  kill?: AbortSignal
}

export interface ServerOptions extends CommandOptions {
  databaseUrl?: string
  /** Arguments after `serve`. */
  args?: string[]
}

export interface RunningBinary {
  pid: number
  url: string
  /** All output so far, of both streams. */
  output(): string
  request(method: string, path: string, options?: RequestOptions): Promise<Response>
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2'): void
  /** Resolves with the exit code, 128 or more after a signal. */
  exited: Promise<number>
  /** Resolves when the output matches. @throws when the process ends before */
  says(pattern: RegExp): Promise<void>
  /** Ends the process at once, if it still runs. */
  stop(): Promise<void>
}

const root = join(import.meta.dir, '..', '..')
let built: Promise<string> | undefined

/** The executable under test: `KEYWARD_TEST_BINARY`, or `dist/keyward`, built once if a source is newer. */
export function binaryPath(): Promise<string> {
  built ??= provideBinary()
  return built
}

/** Another program may use the default port, so no server of a test takes it. */
const freePort = { HOST: '127.0.0.1', PORT: '0' }

/** Runs one command of the executable to its end. */
export async function runBinary(args: string[], options: CommandOptions = {}): Promise<Finished> {
  const child = Bun.spawn([options.executable ?? (await binaryPath()), ...args], {
    ...surroundings({ ...options, env: { ...(args[0] === 'serve' && freePort), ...options.env } }),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    ...(options.kill && { signal: options.kill, killSignal: 'SIGKILL' }),
  })
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return { exitCode, stdout, stderr }
}

/**
 * Starts `keyward serve --dev` on a free loopback port, with cheap bcrypt and a fixed `SECRET_KEY`, and resolves once
 * it answers. Stop it; if the test process dies, it is stopped too.
 */
export async function startBinary({
  databaseUrl,
  args = ['--dev'],
  ...options
}: ServerOptions = {}): Promise<RunningBinary> {
  const env = serverSettings({ databaseUrl, args, env: options.env })
  return startServer([options.executable ?? (await binaryPath()), 'serve', ...args], { ...options, env })
}

/** The environment of `startBinary`. */
export const serverSettings = ({ databaseUrl, args = ['--dev'], env }: ServerOptions): Record<string, string> => ({
  ...freePort,
  PUBLIC_URL: 'http://localhost:8000',
  SECRET_KEY: testSecret,
  BCRYPT_COST: args.includes('--dev') ? '4' : '10',
  RATE_LIMIT: 'off',
  LOG_FORMAT: 'json',
  ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
  ...env,
})

/** As `startBinary`, for any command line that starts a server which logs its address. */
export async function startServer(command: string[], options: CommandOptions): Promise<RunningBinary> {
  const child = Bun.spawn(command, { ...surroundings(options), stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const caretaker = endWithTestProcess(child.pid)
  let output = ''
  let noticed = Promise.withResolvers<void>()
  const notice = () => {
    noticed.resolve()
    noticed = Promise.withResolvers<void>()
  }
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true })
      notice()
    }
  }
  const drained = Promise.all([collect(child.stdout), collect(child.stderr)])
  const exited = child.exited.then(async (code) => {
    caretaker.kill()
    await drained
    notice()
    return code
  })
  let ended = false
  exited.then(() => {
    ended = true
  })

  const says = async (pattern: RegExp) => {
    while (!pattern.test(output)) {
      if (ended) throw new Error(`ended with ${child.exitCode ?? child.signalCode}, without ${pattern}: ${output}`)
      await Promise.race([noticed.promise, exited])
    }
  }
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
  }
  try {
    await says(STARTED)
  } catch (error) {
    await stop()
    throw error
  }
  const url = STARTED.exec(output)![1]!.replace('localhost', '127.0.0.1')
  return {
    pid: child.pid,
    url,
    output: () => output,
    request: (method, path, request) => fetch(buildRequest(`${url}${path}`, method, request)),
    signal: (name) => child.kill(name),
    exited,
    says,
    stop,
  }
}

/** A copy of the executable in its own folder, for tests of files beside it. */
export async function copyBinary(folder = scratchFolder('installed')): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const executable = join(folder, 'keyward')
  copyFileSync(await binaryPath(), executable)
  return executable
}

/** The commands that `keyward --help` or a group's help lists; empty for a command. */
export async function commandsOf(group: string[] = []): Promise<string[]> {
  const { stdout } = await runBinary([...group, '--help'])
  const list = stdout.split('\nCommands:\n')[1] ?? ''
  return [...list.matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name]) => name!)
}

/** Every command that is not a group, as typed. */
export async function everyCommand(group: string[] = []): Promise<string[]> {
  const below = await commandsOf(group)
  if (below.length === 0) return [group.join(' ')]
  return (await Promise.all(below.map((name) => everyCommand([...group, name])))).flat()
}

/** The log's `started` line, as JSON or as text. */
const STARTED = /\bstarted\b.*?\burl(?:":"|=)(http:\/\/[^"\s]+)/

const surroundings = ({ env, cwd }: CommandOptions) => ({
  cwd: cwd ?? scratchFolder('cwd'),
  env: { PATH: process.env.PATH ?? '', HOME: scratchFolder('home'), ...env },
})

/** A shell that waits for the end of this process, however it comes, and then ends the server. */
function endWithTestProcess(pid: number): { kill(): void } {
  const caretaker = Bun.spawn(
    ['/bin/sh', '-c', 'trap "" HUP INT TERM; cat >/dev/null; kill -KILL "$1"', 'sh', String(pid)],
    {
      cwd: '/',
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
      detached: true,
    },
  )
  caretaker.unref()
  return { kill: () => caretaker.kill('SIGKILL') }
}

async function provideBinary(): Promise<string> {
  const named = process.env.KEYWARD_TEST_BINARY
  if (named) return named
  const target = join(root, 'dist', 'keyward')
  if (modified(target) > newestSource()) return target
  // Built beside and renamed: another test process may be starting the old one at this moment.
  const { scripts } = (await Bun.file(join(root, 'package.json')).json()) as { scripts: { compile: string } }
  const draft = join('dist', `keyward.${process.pid}`)
  const child = Bun.spawn(['/bin/sh', '-c', scripts.compile.replace('dist/keyward', draft)], {
    cwd: root,
    env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH ?? ''}` },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  if (code !== 0) throw new Error(`the build failed: ${stdout}${stderr}`)
  renameSync(join(root, `${draft}.map`), `${target}.map`)
  renameSync(join(root, draft), target)
  return target
}

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

function newestSource(): number {
  const files = [
    ...new Bun.Glob('{src,drizzle}/**/*').scanSync({ cwd: root }),
    'package.json',
    'bun.lock',
    'tsconfig.json',
  ]
  return Math.max(...files.map((file) => modified(join(root, file))))
}
