import { copyFileSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { binaryPath } from '../support/binary.ts'
import { PYTHON } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'

/** A server that the bench has started. */
export interface Server {
  port: number
  pid: number
  stop(): Promise<void>
}

const running = new Set<Bun.Subprocess>()

/** Ends the process at once, also if the bench itself ends early. */
export function killServers(): void {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}

/**
 * Starts a server that reads PORT and resolves with its first answer. Its output goes to a file, like a log.
 * @throws when it ends before it answers
 */
export async function startServer(command: string[], env: Record<string, string> = {}): Promise<Server> {
  const port = await freePort()
  const { child, log } = launch(command, { ...env, PORT: String(port) })
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')}: ${readFileSync(log, 'utf8')}`)
    await Bun.sleep(5)
  }
  return { port, pid: child.pid, stop: () => stop(child) }
}

async function stop(child: Bun.Subprocess): Promise<void> {
  running.delete(child)
  child.kill('SIGKILL')
  await child.exited
}

/** Starts a program in its own folder; its output goes to `log`. */
export function launch(command: string[], env: Record<string, string>): { child: Bun.Subprocess; log: string } {
  const folder = scratchFolder('bench')
  const log = join(folder, 'log')
  const output = openSync(log, 'a')
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  })
  running.add(child)
  return { child, log }
}

/**
 * Returns a copy of an executable. How many of its pages are resident depends on how its file came into the page cache: a
 * file that was just written counts 5 MiB more than one that was read from the disk. Executables whose memory is compared
 * are therefore both copies.
 */
export function freshCopy(executable: string): string {
  const copy = join(scratchFolder('bench-executable'), 'keyward')
  copyFileSync(executable, copy)
  return copy
}

/** As `startServer`, and measures the milliseconds from the start to the first answer with 200. */
export async function timeStart(
  command: string[],
  env: Record<string, string>,
  path = '/livez',
): Promise<Server & { ms: number }> {
  const port = await freePort()
  const started = performance.now()
  const { child, log } = launch(command, { ...env, PORT: String(port) })
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    if (answer?.status === 200 || answer?.status === 404) break
    if (child.exitCode !== null) throw new Error(`${command.join(' ')}: ${readFileSync(log, 'utf8')}`)
    await Bun.sleep(0.5)
  }
  return { ms: performance.now() - started, port, pid: child.pid, stop: () => stop(child) }
}

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/livez`).then(
    () => true,
    () => false,
  )

const target = (name: string): string => join(import.meta.dir, 'targets', name)

export const bareCommand = [process.execPath, target('bare.ts')]

export const startBare = (): Promise<Server> => startServer(bareCommand)

export const elysiaCommand = [process.execPath, target('elysia.ts')]

/** Starts a program of `targets/`. */
export const startTarget = (name: string, env: Record<string, string>): Promise<Server> =>
  startServer([process.execPath, target(name)], env)

export const startElysia = (): Promise<Server> => startServer(elysiaCommand)

/** Undefined if Debian's packages are not installed. */
export async function startFastapi(): Promise<Server | undefined> {
  const modules = 'fastapi, uvicorn, sqlalchemy, passlib, bcrypt, jose, multipart'
  if (Bun.which(PYTHON) === null) return undefined
  const { exitCode } = Bun.spawnSync([PYTHON, '-c', `import ${modules}`], { stderr: 'ignore' })
  return exitCode === 0 ? startServer([PYTHON, target('fastapi_service.py')]) : undefined
}

/** Printed by a section if `startFastapi` could not start the service. */
export const withoutFastapi =
  'FastAPI was not measured: it wants Debian’s `python3-fastapi uvicorn python3-sqlalchemy python3-passlib python3-bcrypt python3-jose python3-multipart`.'

/** Signs the access tokens of a Keyward here with `JWT_ALG=HS256`. */
export const jwtSecret = 'only-for-the-bench-21f0e86d4c9b4a37-31bc'

/** Keyward as in production, with its access log on; limits are off, because one machine plays all clients. */
export const keywardSettings = (settings: Record<string, string> = {}): Record<string, string> => ({
  HOST: '127.0.0.1',
  PUBLIC_URL: 'http://localhost:8000',
  DATABASE_URL: `sqlite:///${join(scratchFolder('bench-db'), 'keyward.db')}`,
  SECRET_KEY: 'only-for-the-bench-5c1d7a90e3b24f68-77aa',
  ...((settings.JWT_ALG ?? 'HS256') === 'HS256' && { JWT_ALG: 'HS256', JWT_SECRET: jwtSecret }),
  BCRYPT_COST: '10',
  RATE_LIMIT: 'off',
  ...settings,
})

/** The compiled executable; with `--dev` if a setting needs it. */
export const startKeyward = async (settings: Record<string, string> = {}): Promise<Server> =>
  startServer(
    [await binaryPath(), 'serve', ...(Number(settings.BCRYPT_COST) < 10 ? ['--dev'] : [])],
    keywardSettings({ LOG_FORMAT: 'json', ...settings }),
  )

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
