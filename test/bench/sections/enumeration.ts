import { type Bench, median, medianOf } from '../bench.ts'
import { type Findings, figure } from '../report.ts'
import { names, register } from '../requests.ts'
import { startKeyward } from '../servers.ts'

const COUNT = 200
const users = names('user', 20)
const nobody = names('none', 20)
/** Requested in turn: existing and unknown names and addresses, all of the same length. */
const asked: Record<string, readonly string[]> = {
  'an account, by name': users,
  'nobody, by name': nobody,
  'an account, by address': users.map((name) => `${name}@example.com`),
  'nobody, by address': nobody.map((name) => `${name}@example.com`),
}

/** Sends wrong passwords for existing and unknown users, with limits that are on but so wide that they refuse none. */
export async function enumeration(bench: Bench): Promise<Findings> {
  const names = ['name_prefix', 'account_prefix', 'prefix_accounts', 'prefix', 'name', 'account']
  const LIMITS = names.map((name) => `login.${name}=99999/1h`)
  const keyward = await startKeyward({
    RATE_LIMIT: 'on',
    LIMITS: [...LIMITS, 'register.prefix=off'].join(),
    HASH_MAX_WAIT_MS: '60000',
  })
  await register(keyward.port, users)
  const rounds = await bench.rounds(1, () => bench.observe(() => measure(keyward.port)))
  const apart = (kind: 'name' | 'address') =>
    medianOf(rounds.kept, (round) => Math.abs(round[`nobody, by ${kind}`]! / round[`an account, by ${kind}`]! - 1))
  return {
    title: 'Known and unknown users',
    text: `A wrong password, ${COUNT} times each for known and unknown users, in turn, one after the other.`,
    table: [
      ['', 'median ms'],
      ...Object.keys(asked).map((name) => [name, figure(medianOf(rounds.kept, (round) => round[name]!))]),
    ],
    gates: (['name', 'address'] as const).map((kind) => ({
      what: `By ${kind}: difference of the medians`,
      value: apart(kind),
      atMost: 0.05,
      unit: 'percent',
    })),
    rounds,
  }
}

/** The median time of an answer to each, in milliseconds. */
async function measure(port: number): Promise<Record<string, number>> {
  const taken = new Map(Object.keys(asked).map((name) => [name, [] as number[]]))
  const kinds = Object.entries(asked)
  for (let at = -10; at < COUNT; at++)
    // Forwards and backwards, so that the order has no effect.
    for (const [name, who] of at % 2 ? kinds : kinds.toReversed()) {
      const username = who[Math.abs(at) % who.length]!
      const started = performance.now()
      const body = new URLSearchParams({ username, password: 'a wrong password' })
      const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', body })
      await answer.text()
      if (answer.status !== 401) throw new Error(`${username}: ${answer.status}`)
      if (at >= 0) taken.get(name)!.push(performance.now() - started)
    }
  return Object.fromEntries([...taken].map(([name, times]) => [name, median(times)]))
}
