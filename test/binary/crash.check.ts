import { expect, setDefaultTimeout, test } from 'bun:test'
import { randomInt } from 'node:crypto'
import { startBinary } from '../support/binary.ts'
import { inspectDatabase } from '../support/consistency.ts'
import { type Dialect, describeEachDialect } from '../support/dialects.ts'
import { createHonestClient } from '../support/honest-client.ts'
import { seededRandom } from '../support/random.ts'
import { expectCleanLog } from '../support/server-log.ts'

/** How often the server is killed, per database. `bun run torture` sets 1,000. */
const ROUNDS = Number(process.env.KEYWARD_TORTURE_ROUNDS ?? 20)
/** Decides the requests and after how many answers the kill comes; timing decides where it hits. */
const SEED = process.env.KEYWARD_TORTURE_SEED ?? (process.env.KEYWARD_TORTURE_ROUNDS ? String(randomInt(1e9)) : 'crash')
/** Kills per database, so that checking it does not take most of the time. */
const EPISODE = 50
const CLIENTS = 6

describeEachDialect('kill -9 at random moments, under load', (dialect) => {
  setDefaultTimeout(60_000 + ROUNDS * 10_000)

  test('T1: loses nothing that was answered and leaves nothing half done', async () => {
    const started = performance.now()
    let answers = 0
    for (let round = 0; round < ROUNDS; round += EPISODE) {
      const seed = `${SEED} ${dialect.name} ${round}`
      try {
        answers += await episode(dialect, { seed, rounds: Math.min(EPISODE, ROUNDS - round) })
      } catch (error) {
        throw new Error(`with KEYWARD_TORTURE_SEED=${SEED}, in rounds ${round} to ${round + EPISODE}`, { cause: error })
      }
      if (ROUNDS > EPISODE) report(dialect, round + EPISODE, performance.now() - started)
    }
    // If no client was active at the kill, nothing was tested.
    expect(answers).toBeGreaterThan(5 * ROUNDS)
  })
})

/** Kills the server of one database repeatedly. Returns how many requests were answered in all. */
async function episode(dialect: Dialect, { seed, rounds }: { seed: string; rounds: number }): Promise<number> {
  const { url: databaseUrl, dispose } = await dialect.databaseUrl()
  const database = inspectDatabase(databaseUrl)
  const random = seededRandom(seed)
  const known = new Map<number, string>()
  let answers = 0
  let onAnswer = () => {}
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    createHonestClient({
      name: `client${index}`,
      random: seededRandom(`${seed} ${index}`),
      answered() {
        answers++
        onAnswer()
      },
      registered: ({ id, username }) => known.set(id, username),
    }),
  )
  try {
    for (let round = 0; round <= rounds; round++) {
      const keyward = await startBinary({ databaseUrl })
      try {
        const accounts = await database.expectConsistent()
        for (const [id, username] of known) expect([id, accounts.get(id)]).toEqual([id, username])
        await Promise.all(clients.map((client) => client.check(keyward)))
        if (round === rounds) {
          await database.expectConsistent()
          keyward.signal('SIGTERM')
          expect(await keyward.exited).toBe(0)
        } else {
          const last = answers + 1 + Math.floor(random.fraction() * 50)
          const delay = random.fraction() * 6
          onAnswer = () => {
            if (answers === last) Bun.sleep(delay).then(() => keyward.signal('SIGKILL'))
          }
          await Promise.all(clients.map((client) => client.actUntilCut(keyward)))
          onAnswer = () => {}
          expect(await keyward.exited).toBe(128 + 9)
          await database.untilAbandoned()
        }
        expectCleanLog(keyward.output())
      } finally {
        await keyward.stop()
      }
    }
    return answers
  } finally {
    await database.close()
    await dispose()
  }
}

function report({ name }: Dialect, rounds: number, milliseconds: number): void {
  const each = (milliseconds / rounds / 1_000).toFixed(2)
  process.stderr.write(`${name}: ${Math.min(rounds, ROUNDS)} of ${ROUNDS} kills, ${each} s each\n`)
}
