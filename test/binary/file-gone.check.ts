import { expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { runBinary, serverSettings, startBinary } from '../support/binary.ts'
import { accountOf, becomesReady, expectNotReady, expectRefused, statusOf } from '../support/outage.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const ada = accountOf('ada', 'secret 1 of the owner')
const grace = accountOf('grace', 'secret 2 of the owner')
const gone = 'Not ready: the database file was removed or replaced'

const newFile = () => join(scratchFolder('gone'), 'users.db')
const startOn = (file: string) => startBinary({ databaseUrl: `sqlite:///${file}` })

test('12.C4 a database file that was removed is not ready and takes no writes until it is back', async () => {
  const file = newFile()
  const keyward = await startOn(file)
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    renameSync(file, `${file}.away`)
    await expectRefused(keyward, 'database_unavailable', grace.register)
    await expectNotReady(keyward, gone)
    expect(keyward.output()).toContain('"event":"database_file_gone"')
    renameSync(`${file}.away`, file)
    await becomesReady(keyward)
    expect(await statusOf(keyward, grace.register)).toBe(201)
  } finally {
    await keyward.stop()
  }
})

test('12.C4 a write-ahead log that was removed under a running server is not ready, and no answered row is lost', async () => {
  const file = newFile()
  let keyward = await startOn(file)
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    rmSync(`${file}-wal`)
    await expectRefused(keyward, 'database_unavailable', grace.register)
    await expectNotReady(keyward, gone)
    keyward.signal('SIGKILL')
    await keyward.exited
    keyward = await startOn(file)
    expect(await statusOf(keyward, ada.logIn)).toBe(200)
  } finally {
    await keyward.stop()
  }
})

test.each(['SIGKILL', 'SIGTERM'] as const)(
  '12.C4 a backup moved over the file of a running server is not undone by the old write-ahead log after %s',
  async (signal) => {
    const file = newFile()
    let keyward = await startOn(file)
    try {
      expect(await statusOf(keyward, ada.register)).toBe(201)
      keyward.signal('SIGTERM')
      expect(await keyward.exited).toBe(0)
      copyFileSync(file, `${file}.backup`)

      keyward = await startOn(file)
      expect(await statusOf(keyward, grace.register)).toBe(201)
      linkSync(file, `${file}.old`)
      renameSync(`${file}.backup`, file)
      if (signal === 'SIGKILL') {
        await expectRefused(keyward, 'database_unavailable', ada.logIn)
        await expectNotReady(keyward, gone)
      }
      keyward.signal(signal)
      await keyward.exited
      expect(statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0)

      keyward = await startOn(file)
      expect(await statusOf(keyward, ada.logIn)).toBe(200)
      expect(await statusOf(keyward, grace.logIn)).toBe(401)
      await keyward.stop()
      // The file that was replaced has every row that was answered.
      keyward = await startOn(`${file}.old`)
      expect(await statusOf(keyward, grace.logIn)).toBe(200)
    } finally {
      await keyward.stop()
    }
  },
)

test('12.C4 a backup copied over the file after a crash: no start and no command applies the old write-ahead log', async () => {
  const file = newFile()
  const env = serverSettings({ databaseUrl: `sqlite:///${file}` })
  let keyward = await startOn(file)
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    keyward.signal('SIGTERM')
    expect(await keyward.exited).toBe(0)
    copyFileSync(file, `${file}.backup`)

    keyward = await startOn(file)
    expect(await statusOf(keyward, grace.register)).toBe(201)
    keyward.signal('SIGKILL')
    await keyward.exited
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    copyFileSync(`${file}.backup`, file)
    for (const command of [
      ['serve', '--dev'],
      ['users', 'list', '--dev'],
      ['migrate', 'status', '--dev'],
    ]) {
      const { exitCode, stderr } = await runBinary(command, { env })
      expect([command, exitCode, stderr]).toEqual([
        command,
        1,
        `${file}-wal does not belong to ${file}: the file was replaced, for example with a backup, and rows of the earlier file are left in the write-ahead log. Nothing was changed. To go on with the file as it is, delete ${file}-wal and ${file}-shm.\n`,
      ])
    }
    rmSync(`${file}-wal`)
    rmSync(`${file}-shm`)
    keyward = await startOn(file)
    expect(await statusOf(keyward, ada.logIn)).toBe(200)
    expect(await statusOf(keyward, grace.logIn)).toBe(401)
  } finally {
    await keyward.stop()
  }
})

test('12.C4 the main file of a new database has its tables at once', async () => {
  const file = newFile()
  const keyward = await startOn(file)
  try {
    expect(statSync(file).size).toBeGreaterThan(100_000)
  } finally {
    await keyward.stop()
  }
})
