import { fstatSync, readFileSync } from 'node:fs'
import manifest from '../package.json' with { type: 'json' }
import { readSecret as readSecretFrom } from './cli/read-secret.ts'
import { run } from './cli/run.ts'
import { systemClock } from './lib/clock.ts'
import { systemReason } from './lib/error-reasons.ts'
import { batchOutput } from './lib/output.ts'
import { systemRandom } from './lib/random.ts'

const usage = () => {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { residentBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1e6 }
}

let stopping = false
let stopped: Promise<string> | undefined

/**
 * Resolves with the name of the first SIGTERM, SIGINT or (unless the process ignores it) SIGHUP. The service then
 * stops. A second signal ends the process at once.
 */
const stopSignal = () => {
  stopped ??= new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', ...(ignoresHangup() ? [] : ['SIGHUP' as const])] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(130)
        stopping = true
        resolve(signal)
      })
    }
  })
  return stopped
}

/**
 * Returns true when the process already ignores SIGHUP, as under `nohup`. A handler would then stop the service at
 * SIGHUP.
 */
function ignoresHangup(): boolean {
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n
  } catch {
    // Systems other than Linux do not have this file. SIGHUP then stops the service.
    return false
  }
}

/**
 * Calls `report` for each SIGUSR1 and SIGUSR2, and does nothing else. Without a handler these signals would end the
 * process.
 */
const onIgnoredSignal = (report: (signal: string) => void) => {
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => report(signal))
}

/**
 * Returns true when the output is a terminal. `node:tty` is loaded only when the output is a device, because `node:tty`
 * also loads Node's streams.
 */
const printsToTerminal = () =>
  fstatSync(1).isCharacterDevice() && (require('node:tty') as typeof import('node:tty')).isatty(1)

const readSecret = async (prompt: string, options?: { once: boolean }) => {
  const typed = await readSecretFrom(process.stdin, prompt, (text) => process.stderr.write(text), options)
  if (typed === undefined) process.exit(130)
  return typed
}

/** `confirm.ts` is loaded on demand, because it loads Node's streams, which takes milliseconds. */
const confirm = async (question: string) =>
  (await import('./cli/confirm.ts')).confirm(process.stdin, process.stderr, question)

// `process.stdout` is not used: it loads Node's streams, which takes milliseconds, and it ends the process when a write
// fails.
const output = batchOutput(Bun.stdout.writer())
// The collected output is also written when `run` does not finish: after a second signal or an uncaught error.
process.on('exit', output.flush)

/**
 * Waits until the output is written. Prints an error when it could not be written, except for a closed pipe, which the
 * reader closed on purpose. After a signal to stop, waits at most one second and prints no error, so that a slow reader
 * of the log does not delay the end of the process.
 * @returns `code`; without a signal, 1 instead of 0 when the output could not be written
 */
async function endOutput(code: number): Promise<number> {
  if (stopping) {
    await Promise.race([output.end(), systemClock.sleep(1_000)])
    return code
  }
  const failure = await output.end()
  if (failure === undefined) return code
  if (failure !== 'EPIPE')
    process.stderr.write(`The output could not be written: ${systemReason(failure)} (${failure})\n`)
  return code || 1
}

run(process.argv.slice(2), {
  env: process.env,
  executable: process.execPath,
  version: manifest.version,
  clock: systemClock,
  random: systemRandom,
  usage,
  print: output.write,
  printLog: output.writeLog,
  printsToTerminal,
  delivered: output.end,
  printError: (text) => process.stderr.write(text),
  errorColumns: () => (process.stderr.isTTY ? process.stderr.columns || 80 : undefined),
  readSecret,
  confirm,
  stopSignal,
  onIgnoredSignal,
})
  .then(endOutput)
  .then((code) => process.exit(code))
