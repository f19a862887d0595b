import manifest from '../package.json' with { type: 'json' }
import { run } from './cli/run.ts'
import { systemClock } from './lib/clock.ts'
import { systemRandom } from './lib/random.ts'

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

run(process.argv.slice(2), {
  env: process.env,
  executable: process.execPath,
  version: manifest.version,
  clock: systemClock,
  random: systemRandom,
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
  stopSignal,
}).then((code) => process.exit(code))
