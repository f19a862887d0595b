import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { loggedIn, me, type Pair, refresh } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { appsPerTest } from '../support/hooks.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { openUrl, type TestStorage } from './support.ts'

setDefaultTimeout(60_000)

const apps = appsPerTest()
let database: TestDatabase
let app: TestApp
let outside: TestStorage
let ada: SignedUp
let bea: SignedUp

beforeEach(async () => {
  database = await createDatabase()
  app = await apps.open({ databaseUrl: database.url, env: { POSTGRES_POOL_SIZE: '4' } })
  outside = await openUrl(database.url)
  ada = await app.signUp('ada')
  bea = await app.signUp('bea')
})
afterEach(async () => {
  await outside.close()
  await database.drop()
})

/** Runs `work` while another client holds the locks of a statement. */
const whileLocked = (statement: string, work: () => Promise<void>): Promise<void> =>
  outside.store.transaction(async () => {
    await outside.rows(statement)
    await work()
  })

/** How many connections of the app wait for a lock, once there are some. */
async function waitingForLocks(): Promise<number> {
  for (;;) {
    const [[count] = []] = await outside.rows(
      `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (Number(count) > 1) return Number(count)
    await Bun.sleep(10)
  }
}

/** Counts how many of these promises are settled. */
function watch(all: readonly Promise<unknown>[]): { settled: number } {
  const state = { settled: 0 }
  for (const one of all)
    one.finally(() => {
      state.settled++
    })
  return state
}

const many = <T>(start: () => Promise<T>): Promise<T>[] => Array.from({ length: 24 }, start)

async function expectOthersServed(): Promise<void> {
  for (let i = 0; i < 10; i++) expect(await me(app, bea.grant.access_token)).toBe(200)
  await loggedIn(app, bea)
  const { refresh_token } = bea.grant as unknown as Pair
  const pair = await refresh(app, refresh_token)
  expect(pair.status).toBe(200)
}

test('12.A2 transactions of one account that wait for a lock leave connections for the reads and writes of others', async () => {
  await loggedIn(app, ada)
  let answers: Promise<Response>[] = []
  await whileLocked(`SELECT * FROM users WHERE id = ${ada.id} FOR UPDATE`, async () => {
    answers = many(() => app.request('DELETE', '/users/me/sessions?except=current', { token: ada.grant.access_token }))
    const state = watch(answers)
    expect(await waitingForLocks()).toBe(2)
    await expectOthersServed()
    expect(await waitingForLocks()).toBe(2)
    expect(state.settled).toBe(0)
  })
  for (const { status } of await Promise.all(answers)) expect(status).toBe(204)
})

test('12.A2 single statements of one account that wait for a lock do so too', async () => {
  const { refresh_token } = ada.grant as unknown as Pair
  let answers: Promise<Response>[] = []
  await whileLocked(`SELECT * FROM sessions WHERE user_id = ${ada.id} FOR UPDATE`, async () => {
    answers = many(() => refresh(app, refresh_token))
    const state = watch(answers)
    expect(await waitingForLocks()).toBe(2)
    await expectOthersServed()
    expect(state.settled).toBe(0)
  })
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
})

test('12.A2 writes of many accounts that wait for a lock leave a connection for reads', async () => {
  const users: SignedUp[] = []
  for (let i = 0; i < 8; i++) users.push(await app.signUp(`user${i}`))
  let answers: Promise<Response>[] = []
  await whileLocked('LOCK TABLE audit_events IN SHARE MODE', async () => {
    answers = users.map(({ grant }) => app.request('POST', '/logout', { token: grant.access_token }))
    const state = watch(answers)
    while ((await waitingForLocks()) < 3);
    for (let i = 0; i < 10; i++) expect(await me(app, bea.grant.access_token)).toBe(200)
    expect(await waitingForLocks()).toBe(3)
    expect(state.settled).toBe(0)
  })
  for (const { status } of await Promise.all(answers)) expect(status).toBe(204)
})
