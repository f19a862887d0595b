import { expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { sqliteFile } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { scratchFolder } from '../support/scratch.ts'

const apps = appsPerTest()

test('12.C4 a copy of the main file alone of a running server has every account that is a minute old', async () => {
  const json = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }
  const form = { username: json.username, password: json.password }
  const copy = join(scratchFolder('copy'), 'copy.db')
  const databaseUrl = `sqlite:///${join(scratchFolder('copied'), 'users.db')}`
  const app = await apps.open({ databaseUrl })
  expect((await app.request('POST', '/register', { json })).status).toBe(201)
  const jobs = app.process.startOwnJobs()
  await app.clock.advance(60_000)
  await jobs.stop()
  copyFileSync(sqliteFile(databaseUrl), copy)
  const restored = await apps.open({ databaseUrl: `sqlite:///${copy}` })
  expect((await restored.request('POST', '/token', { form })).status).toBe(200)
})
