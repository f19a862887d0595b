import { parseArgs } from 'node:util'
import { binaryPath } from '../support/binary.ts'
import { closeScratch } from '../support/scratch.ts'
import { type Bench, createBench, Disturbed, say } from './bench.ts'
import { type Findings, isMet, toMarkdown, writeToReadme } from './report.ts'
import { admin } from './sections/admin.ts'
import { enumeration } from './sections/enumeration.ts'
import { factors } from './sections/factors.ts'
import { flood } from './sections/flood.ts'
import { importing } from './sections/import.ts'
import { limits } from './sections/limits.ts'
import { login } from './sections/login.ts'
import { mail } from './sections/mail.ts'
import { me } from './sections/me.ts'
import { million } from './sections/million.ts'
import { openid } from './sections/openid.ts'
import { postgres } from './sections/postgres.ts'
import { refresh } from './sections/refresh.ts'
import { register } from './sections/register.ts'
import { start } from './sections/start.ts'
import { killServers } from './servers.ts'

/*
 * bun run bench [section…] [--long] [--no-readme] [--foreign 0.25]
 *
 * Starts all compared programs on this machine, in rounds, and writes medians to README. Compare only ratios within one
 * run; the other figures show the order of magnitude.
 */

const sections: Record<string, (bench: Bench) => Promise<Findings>> = {
  me,
  login,
  flood,
  register,
  enumeration,
  start,
  million,
  admin,
  postgres,
  refresh,
  limits,
  mail,
  import: importing,
  openid,
  factors,
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      long: { type: 'boolean', default: false },
      'no-readme': { type: 'boolean', default: false },
      foreign: { type: 'string', default: '0.25' },
    },
  })
  const unknown = positionals.filter((name) => !(name in sections))
  const foreign = Number(values.foreign)
  if (unknown.length > 0 || !(foreign >= 0)) {
    say(
      `usage: bun run bench [section…] [--long] [--no-readme] [--foreign CORES]\nsections: ${Object.keys(sections).join(' ')}\n`,
    )
    return 2
  }
  await binaryPath() // built first, so that the compiler does not run during a measurement
  const bench = createBench({ long: values.long, foreign })
  let complete = true
  for (const [name, measure] of Object.entries(sections)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    say(`${name} `)
    const started = performance.now()
    try {
      const findings = await measure(bench)
      const text = toMarkdown(findings, new Date())
      say(` ${Math.round((performance.now() - started) / 1_000)} s\n`)
      process.stdout.write(`${text}\n\n`)
      if (!values['no-readme']) await writeToReadme(name, text)
      complete &&= findings.gates.every(isMet)
    } catch (error) {
      if (!(error instanceof Disturbed)) throw error
      say(` not measured: ${error.message}\n`)
      complete = false
    } finally {
      killServers()
    }
  }
  return complete ? 0 : 1
}

process.on('exit', killServers)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
const code = await run(process.argv.slice(2))
await closeScratch()
process.exit(code)
