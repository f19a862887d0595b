import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { createDatabase, sharedPostgres, startPostgres } from './postgres.ts'

// Starting servers takes longer on a busy machine.
setDefaultTimeout(60_000)

const ask = async (url: string, statement: string) => {
  const sql = new Bun.SQL(url, { max: 1 })
  try {
    return (await sql.unsafe(statement))[0]
  } finally {
    await sql.close()
  }
}

test('one server is shared, it is PostgreSQL 18, and tests are not superuser there', async () => {
  expect(await sharedPostgres()).toBe(await sharedPostgres())
  const { url } = await createDatabase()
  expect(await ask(url, `SELECT current_setting('server_version_num')::int / 10000 AS major`)).toEqual({ major: 18 })
  expect(await ask(url, 'SELECT usesuper FROM pg_user WHERE usename = current_user')).toEqual({ usesuper: false })
})

test('a durable server keeps confirmed data after a crash, on the same port', async () => {
  const server = await startPostgres({ durable: true })
  const { url } = await server.createDatabase()
  expect(
    await ask(url, `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits`),
  ).toEqual({ fsync: 'on', commits: 'on' })
  await ask(url, 'CREATE TABLE thing (id integer)')
  await ask(url, 'INSERT INTO thing VALUES (7)')
  server.signal('SIGKILL')
  await server.restart()
  expect(await ask(url, 'SELECT id FROM thing')).toEqual({ id: 7 })
})

test('nothing remains after a test process was killed', async () => {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(require.resolve('./postgres.ts'))})
    const { scratchFolder } = await import(${JSON.stringify(require.resolve('./scratch.ts'))})
    const { port } = await startPostgres()
    console.log(JSON.stringify({ port, folder: scratchFolder('witness') }))
    await Bun.sleep(600_000)`
  const owner = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  const { value } = await owner.stdout.getReader().read()
  const { port, folder } = JSON.parse(new TextDecoder().decode(value))
  expect(existsSync(folder)).toBe(true)
  owner.kill('SIGKILL')
  await owner.exited
  while (existsSync(folder)) await Bun.sleep(20)
  await expect(Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } })).rejects.toThrow()
})
