import { expect, test } from 'bun:test'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/cli/run.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { createTestApp, testSecret } from '../support/app.ts'
import { processContext } from '../support/cli.ts'
import { manualClock } from '../support/clock.ts'
import { describeEachDialect, migratedDatabase } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'

/** A command at a terminal of 100 columns, which shows each change of its progress. Ctrl-C comes after `at` appears. */
async function interrupted(argv: readonly string[], { env, at }: { env: Record<string, string>; at?: RegExp }) {
  const clock = manualClock()
  let ticks = 0
  let out = ''
  let err = ''
  const { promise, resolve } = Promise.withResolvers<string>()
  const context = processContext({
    env: { SECRET_KEY: testSecret, POSTGRES_POOL_SIZE: '4', ...env },
    clock: { ...clock, monotonic: () => ++ticks * SECOND },
    errorColumns: () => 100,
    stopSignal: () => promise,
    print: (text) => {
      out += text
    },
    printError: (text) => {
      err += text
      if (at?.test(text)) resolve('SIGINT')
    },
  })
  const code = await run(argv, context)
  // What stands on the terminal: a line that was cleared does not.
  return { code, out, err: err.replace(/[^\n]*\r\x1b\[K/g, '') }
}

const ACCOUNTS = 11_500
const accounts = () => {
  const path = join(scratchFolder('accounts'), 'users.jsonl')
  const line = (n: number) => `{"id":${n + 1},"email":"user${n}@example.com","username":"user${n}"}\n`
  writeFileSync(path, Array.from({ length: ACCOUNTS }, (_, n) => line(n)).join(''))
  return path
}

describeEachDialect('Ctrl-C', (dialect) => {
  test('14.5 an import says what it has done and goes on with the rest at the next run', async () => {
    const { url } = await migratedDatabase(dialect)
    const argv = ['import', '--from', accounts()]
    const env = { DATABASE_URL: url }
    const left = 'Interrupted. Nothing was written.\n'
    expect(await interrupted(argv, { env, at: /Checked 3,000/ })).toEqual({ code: 130, out: '', err: left })
    expect(await interrupted([...argv, '--dry-run'], { env, at: /Checked 3,000/ })).toMatchObject({ err: left })
    expect(await interrupted(argv, { env, at: /Imported 11,000/ })).toEqual({
      code: 130,
      out: '',
      err: 'Interrupted. 11,000 of 11,500 accounts were imported. The same command imports the rest.\n',
    })
    const { code, out } = await interrupted(argv, { env })
    expect([code, out]).toEqual([0, expect.stringMatching(/^Imported 500 accounts .*\n {2}11,000 already in Keyward/)])

    // An export has no half file.
    const to = join(scratchFolder('exported'), 'users.jsonl')
    expect(await interrupted(['export', '--to', to], { env, at: /Exported [1-9]/ })).toEqual({
      code: 130,
      out: '',
      err: `Interrupted. ${to} was incomplete and is deleted.\n`,
    })
    expect(existsSync(to)).toBe(false)
    expect((await interrupted(['export', '--to', to], { env })).code).toBe(0)
  })

  test('14.6 a copy says in which state both databases are, also after --keep-locked', async () => {
    const from = await migratedDatabase(dialect)
    const app = await createTestApp({ databaseUrl: from.url })
    await app.signUp('ada')
    const to = await dialect.databaseUrl()
    const env = { DATABASE_URL: from.url, NEW_URL: to.url }
    const argv = ['copy', '--from', 'DATABASE_URL', '--to', 'NEW_URL']
    const unlocked = /\S+ is unlocked, and has not changed since the copy began\./
    const half = await interrupted(argv, { env, at: /Copied and compared/ })
    expect(half).toMatchObject({ code: 130, out: '' })
    expect(half.err).toMatch(new RegExp(`\nInterrupted\\. Nothing was copied to \\S+\\. ${unlocked.source}\n$`))
    expect((await app.request('POST', '/register', { json: grace })).status).toBe(201)

    const kept = await interrupted([...argv, '--keep-locked', '--json'], { env, at: /stays locked/ })
    expect(kept.code).toBe(0)
    expect(JSON.parse(kept.out)).toMatchObject({
      tables: expect.arrayContaining([{ name: 'users', rows: 2, digest: expect.any(String) }]),
    })
    expect(kept.err).toMatch(
      new RegExp(
        `press Ctrl-C here\\.\n${unlocked.source} \\S+ has everything: start the servers with it, and none on the old one\\.\n$`,
      ),
    )
    await app.close()
  })
})

const grace = { username: 'grace', email: 'grace@example.com', password: 'correct horse battery' }
