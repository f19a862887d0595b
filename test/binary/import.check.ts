import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openUrl } from '../storage/support.ts'
import { binaryPath, runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { accountOf, statusOf } from '../support/outage.ts'
import { registerWithoutPause } from '../support/registrations.ts'
import { scratchFolder } from '../support/scratch.ts'

const ACCOUNTS = 33_000
const FIRST_ID = 1_000_001
const password = 'a password from before'

async function oldUsers(): Promise<string> {
  const password_hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
  const path = join(scratchFolder('old'), 'users.jsonl')
  const lines = Array.from({ length: ACCOUNTS }, (_, at) =>
    JSON.stringify({ id: FIRST_ID + at, email: `old${at}@example.com`, username: `old${at}`, password_hash }),
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

describeEachDialect('14.5 an import beside a server that writes', (dialect) => {
  test('is killed, leaves whole batches, and is continued by a second one; no registration is refused', async () => {
    const { url: databaseUrl } = await dialect.databaseUrl()
    const words = ['import', '--from', await oldUsers(), '--dev']
    const env = serverSettings({ databaseUrl })
    const server = await startBinary({ databaseUrl })
    const storage = await openUrl(databaseUrl, { inspect: true, poolSize: 1 })
    const count = async (what: string) => Number((await storage.rows(`SELECT count(*) FROM ${what}`))[0]![0])
    const imported = () => count(`users WHERE username LIKE 'old%'`)
    const load = registerWithoutPause(server)
    try {
      const child = Bun.spawn([await binaryPath(), ...words], {
        cwd: scratchFolder('cwd'),
        env: { ...env, PATH: process.env.PATH! },
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'inherit',
      })
      while ((await imported()) === 0 && child.exitCode === null) await Bun.sleep(2)
      child.kill('SIGKILL')
      await child.exited
      const part = await imported()
      expect(part).toBeGreaterThan(0)
      expect(part).toBeLessThan(ACCOUNTS)
      expect(part % 11_000).toBe(0)

      const rest = await runBinary(words, { env })
      expect(rest).toMatchObject({ exitCode: 0, stderr: '' })
      expect(rest.stdout).toContain(`Imported ${(ACCOUNTS - part).toLocaleString('en')} accounts`)
      expect(await imported()).toBe(ACCOUNTS)
      expect(await count(`audit_events WHERE event = 'users.imported'`)).toBe(2)
      await load.stop()
      expect(load.others).toEqual([])
      expect(await count('users')).toBe(ACCOUNTS + load.answered.length)
      for (const name of ['old0', `old${ACCOUNTS - 1}`])
        expect(await statusOf(server, accountOf(name, password).logIn)).toBe(200)
    } finally {
      await load.stop()
      await storage.close()
      await server.stop()
    }
  }, 120_000)
})
