import { expect, setDefaultTimeout, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { startBinary } from '../support/binary.ts'
import { accountOf, statusOf } from '../support/outage.ts'
import { hasPrograms } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const ada = accountOf('ada', 'secret 1 of the owner')
const grace = accountOf('grace', 'secret 2 of the owner')
const guide = join(import.meta.dir, '../../src/features/documentation/guide/running.md')

test.skipIf(!hasPrograms('sqlite3'))('12.C4 the commands of "Back up and restore" do so for SQLite', async () => {
  const [, chapter = ''] = (await Bun.file(guide).text()).split('## Back up and restore\n')
  const [backUp = '', restore = ''] = [...chapter.matchAll(/```console\n(.*?)```/gs)].map(([, commands]) => commands)
  const folder = scratchFolder('backup')
  const shell = (commands: string) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(['/bin/sh', '-euc', commands], { cwd: folder })
    return [exitCode, `${stdout}${stderr}`]
  }
  const start = () => startBinary({ databaseUrl: `sqlite:///${join(folder, 'keyward.db')}` })
  let keyward = await start()
  try {
    expect(await statusOf(keyward, ada.register)).toBe(201)
    expect(shell(backUp)).toEqual([0, 'ok\n'])
    expect(statSync(join(folder, 'keyward-backup.db')).mode & 0o777).toBe(0o600)
    expect(await statusOf(keyward, grace.register)).toBe(201)
    // The write-ahead log is left.
    keyward.signal('SIGKILL')
    await keyward.exited
    expect(shell(restore)).toEqual([0, ''])
    keyward = await start()
    expect(await statusOf(keyward, ada.logIn)).toBe(200)
    expect(await statusOf(keyward, grace.logIn)).toBe(401)
  } finally {
    await keyward.stop()
  }
})
