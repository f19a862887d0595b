import { join } from 'node:path'
import type { ProcessContext } from '../../src/cli/context.ts'
import { run } from '../../src/cli/run.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { testSecret } from './app.ts'
import { manualClock } from './clock.ts'
import { seededRandom } from './random.ts'
import { scratchFolder } from './scratch.ts'

export interface CliResult {
  code: number
  out: string
  err: string
}

export interface CliOptions {
  databaseUrl: string
  env?: Record<string, string>
  clock?: Clock
  /** The text that is typed when the command asks for a password. */
  secret?: string
  /** The answer to a question; undefined as without a terminal. */
  confirms?: boolean
  /** The seed of the command's randomness. */
  seed?: string
}

/** Upgrades a database, which commands other than `serve` and `migrate up` require. @returns its URL */
export async function migrated(databaseUrl: string): Promise<string> {
  const { code, err } = await keyward(['migrate', 'up'], { databaseUrl })
  if (code !== 0) throw new Error(`migrate up: ${err}`)
  return databaseUrl
}

/** Runs a command line in process, as `keyward <argv>` with this database and the test's SECRET_KEY. */
export async function keyward(
  argv: readonly string[],
  { databaseUrl, env, clock = manualClock(), secret = '', confirms, seed = 'cli' }: CliOptions,
): Promise<CliResult> {
  let out = ''
  let err = ''
  const context = processContext({
    env: { DATABASE_URL: databaseUrl, SECRET_KEY: testSecret, POSTGRES_POOL_SIZE: '4', ...env },
    clock,
    random: seededRandom(seed),
    readSecret: async () => secret,
    confirm: async () => confirms,
    print: (text) => {
      out += text
    },
    printLog: (text) => {
      out += text
    },
    printError: (text) => {
      err += text
    },
  })
  const code = await run(argv, context)
  return { code, out, err }
}

/** A process for `run` that writes to no terminal. */
export const processContext = (members: Partial<ProcessContext>): ProcessContext => ({
  env: {},
  executable: join(scratchFolder('executable'), 'keyward'),
  version: '0.0.0',
  clock: manualClock(),
  random: seededRandom('cli'),
  usage: () => ({ residentBytes: 0, heapBytes: 0, cpuSeconds: 0 }),
  readSecret: async () => '',
  confirm: async () => undefined,
  print: () => {},
  printLog: () => {},
  printsToTerminal: () => false,
  delivered: async () => undefined,
  printError: () => {},
  errorColumns: () => undefined,
  stopSignal: () => new Promise<string>(() => {}),
  ...members,
})
