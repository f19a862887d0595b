import manifest from '../package.json' with { type: 'json' }
import { readSecret as readSecretFrom } from './cli/read-secret.ts'
import { run } from './cli/run.ts'
import { systemClock } from './lib/clock.ts'
import { batchOutput } from './lib/log.ts'
import { systemRandom } from './lib/random.ts'

const usage = () => {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { residentBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1e6 }
}

/** The first signal asks the service to stop, the second one ends it. */
const stopSignal = () =>
  new Promise<string>((resolve) => {
    let stopping = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(130)
        stopping = true
        resolve(signal)
      })
    }
  })

const readSecret = async (prompt: string) => {
  const typed = await readSecretFrom(process.stdin, prompt, (text) => process.stderr.write(text))
  if (typed === undefined) process.exit(130)
  return typed
}

const output = batchOutput((text) => process.stdout.write(text))
// Also where `run` does not come to its end: a second signal, an error that nobody caught.
process.on('exit', output.flush)

run(process.argv.slice(2), {
  env: process.env,
  executable: process.execPath,
  version: manifest.version,
  clock: systemClock,
  random: systemRandom,
  usage,
  print: output.write,
  printError: (text) => process.stderr.write(text),
  readSecret,
  stopSignal,
}).then((code) => process.exit(code))
