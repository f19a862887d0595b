import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { testSecret } from '../support/app.ts'
import { type RunningBinary, runBinary, startBinary } from '../support/binary.ts'
import { type DialectDatabase, describeEachDialect } from '../support/dialects.ts'
import { oldServiceDatabase } from '../support/fastapi.ts'
import { hasPrograms } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

/**
 * The curl commands in the READMEs of both FastAPI services, unchanged except for the port and the place of the token.
 * `--silent` keeps the progress bar out of the output, `--write-out` adds the status.
 */
describeEachDialect('the curl commands of the FastAPI services', (dialect) => {
  let database: DialectDatabase
  let keyward: RunningBinary
  let token = ''

  beforeAll(async () => {
    database = await dialect.databaseUrl()
    await importSecondService(database.url)
    keyward = await startBinary({ databaseUrl: database.url })
  }, 60_000)

  afterAll(async () => {
    await keyward?.stop()
    await database.dispose()
  })

  const run = async (line: string): Promise<[status: number, body: Record<string, unknown>]> => {
    const command = line
      .replace(/http:\/\/(localhost|127\.0\.0\.1):8000/, keyward.url)
      .replace(/your_access_token|<jwt-token>/, token)
    const child = Bun.spawn(['/bin/sh', '-c', `${command} --silent --show-error --write-out '\\n%{http_code}'`], {
      cwd: scratchFolder('curl'),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const at = stdout.lastIndexOf('\n')
    return [Number(stdout.slice(at + 1)), JSON.parse(stdout.slice(0, at))]
  }

  test.skipIf(!hasPrograms('curl'))(
    'user-authentication-microservice: register, log in, read the profile',
    async () => {
      expect(
        await run(`curl -X POST "http://localhost:8000/register" \\
        -H "Content-Type: application/json" \\
        -d '{"email":"user@example.com","username":"user123","password":"secure_password"}'`),
      ).toMatchObject([201, { email: 'user@example.com', username: 'user123', is_active: true }])

      const [status, grant] = await run(`curl -X POST "http://localhost:8000/token" \\
        -H "Content-Type: application/x-www-form-urlencoded" \\
        -d "username=user123&password=secure_password"`)
      expect([status, grant]).toMatchObject([200, { token_type: 'bearer' }])
      token = String(grant.access_token)

      expect(
        await run(`curl -X GET "http://localhost:8000/users/me" \\
        -H "Authorization: Bearer your_access_token"`),
      ).toMatchObject([200, { email: 'user@example.com', username: 'user123' }])
    },
  )

  test.skipIf(!hasPrograms('curl'))('user-services-api: log in, read the profile', async () => {
    const [status, grant] = await run(`curl -X POST http://127.0.0.1:8000/user/token \\
     -H "Content-Type: application/x-www-form-urlencoded" \\
     -d "username=testuser&password=testpass"`)
    expect([status, grant]).toMatchObject([200, { token_type: 'bearer' }])
    token = String(grant.access_token)

    expect(
      await run(`curl -X GET http://127.0.0.1:8000/user/user \\
     -H "Authorization: Bearer <jwt-token>"`),
    ).toEqual([200, { username: 'testuser', email: 'test@example.com', id: 1 }])

    token = `${token.slice(0, -4)}AAAA`
    expect(
      await run(`curl -X GET http://127.0.0.1:8000/user/user \\
     -H "Authorization: Bearer <jwt-token>"`),
    ).toMatchObject([401, { detail: 'Could not validate credentials' }])
  })

  test.skipIf(!hasPrograms('curl'))('a client that shows `detail` shows a sentence', async () => {
    const [status, body] = await run(
      `curl -X POST "http://localhost:8000/token" -d "username=user123&password=wrong_password"`,
    )
    expect([status, body.detail]).toEqual([401, 'Incorrect username or password'])
  })
})

/** The user is inserted into the old database with a hashed password, as that README says, and then imported. */
async function importSecondService(databaseUrl: string): Promise<void> {
  const from = `sqlite:///${await oldServiceDatabase('hash_password', [{ username: 'testuser', email: 'test@example.com', password: 'testpass' }])}`
  const env = { DATABASE_URL: databaseUrl, SECRET_KEY: testSecret }
  expect(await runBinary(['migrate', 'up'], { env })).toMatchObject({ exitCode: 0 })
  expect(await runBinary(['import', '--from', from], { env })).toMatchObject({ exitCode: 0, stderr: '' })
}
