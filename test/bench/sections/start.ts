import { join } from 'node:path'
import { binaryPath } from '../../support/binary.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { type Bench, inTurn, medianOf } from '../bench.ts'
import { residentMiB } from '../proc.ts'
import { type Findings, figure } from '../report.ts'
import { bareCommand, elysiaCommand, keywardSettings, timeStart } from '../servers.ts'

/** A server counts as idle this long after its first answer, in milliseconds. */
const SETTLED = 1_000

export async function start(bench: Bench): Promise<Findings> {
  const keyward = [await binaryPath(), 'serve']
  const used = keywardSettings()
  const steps: Record<string, () => ReturnType<typeof startOnce>> = {
    [BARE]: () => startOnce(bareCommand, {}),
    [NEW_FILE]: () => startOnce(keyward, keywardSettings()),
    'Keyward, new file, first answer of a route that is no probe': () =>
      startOnce(keyward, keywardSettings(), NO_PROBE),
    'Keyward, file of an earlier start': () => startOnce(keyward, used),
    'Elysia service, interpreted, new file': () =>
      startOnce(elysiaCommand, { DATABASE: join(scratchFolder('bench-db'), 'users.db') }),
  }
  await startOnce(keyward, used)
  const rounds = await bench.rounds(4, () => bench.observe(() => inTurn(steps)))
  const value = (name: string, of: 'ms' | 'residentMiB') => medianOf(rounds.kept, (round) => round[name]![of])
  const ratio = (name: string, of: 'ms' | 'residentMiB') =>
    medianOf(rounds.kept, (round) => round[name]![of] / round[BARE]![of])
  return {
    title: 'Start and idle memory',
    text: 'From the start of the process to its first answer with 200. For Keyward this is `GET /livez`, which answers when the database is open and migrated and a signing key is ready; other requests then wait for the routes. Memory is resident memory a second later.',
    table: [
      ['', 'first answer ms', 'times bare', 'resident MiB', 'times bare'],
      ...Object.keys(steps).map((name) => [
        name,
        figure(value(name, 'ms')),
        figure(ratio(name, 'ms')),
        figure(value(name, 'residentMiB')),
        figure(ratio(name, 'residentMiB')),
      ]),
    ],
    gates: [
      { what: 'start to first answer (new file), relative to bare', value: ratio(NEW_FILE, 'ms'), atMost: 3 },
      { what: 'idle memory, relative to the bare server', value: ratio(NEW_FILE, 'residentMiB'), atMost: 1.6 },
    ],
    rounds,
  }
}

const BARE = 'bare Bun.serve, interpreted'
const NEW_FILE = 'Keyward, new file'

/** A route of the application; `/livez` answers before the application is made. */
export const NO_PROBE = '/.well-known/jwks.json'

/** Starts a server, and ends it a second after its first answer. */
export async function startOnce(command: string[], env: Record<string, string>, path?: string) {
  const { ms, pid, stop } = await timeStart(command, env, path)
  await Bun.sleep(SETTLED)
  const resident = residentMiB(pid)
  await stop()
  return { ms, residentMiB: resident }
}
