import { describe, expect, test } from 'bun:test'
import { nextTurn } from '../../src/lib/clock.ts'
import { openUrl } from '../storage/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect, dialects } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'

const apps = appsPerTest()

test('/livez answers as long as the process does, also while it drains', async () => {
  const app = await apps.open()
  const alive = async () => {
    const response = await app.request('GET', '/livez')
    return [response.status, await response.json()]
  }
  expect(await alive()).toEqual([200, { status: 'alive' }])
  app.process.beginDraining()
  expect(await alive()).toEqual([200, { status: 'alive' }])
})

test('a server answers /livez before it has made its application as its application does', async () => {
  const app = await apps.open({ env: { CORS_ORIGINS: 'https://app.example.com' } })
  const seen = async (answer: typeof app.process.answerEarly, request: Request) => {
    app.logs.length = 0
    const response = await answer(request)
    const headers = Object.fromEntries(response.headers)
    expect(headers['x-request-id']).toBeString()
    const { ms: _, request_id: id, ...line } = JSON.parse(app.logs.at(-1)!)
    expect(id).toBe(headers['x-request-id'])
    return {
      status: response.status,
      headers: { ...headers, 'x-request-id': 'an id' },
      body: await response.text(),
      line,
    }
  }
  const livez = (headers?: Record<string, string>) => new Request('http://localhost:8000/livez?verbose', { headers })
  for (const headers of [undefined, { origin: 'https://app.example.com' }, { origin: 'https://other.example.com' }])
    expect(await seen(app.process.answerEarly, livez(headers))).toEqual(await seen(app.fetch, livez(headers)))
  for (const [method, path] of [
    ['HEAD', '/livez'],
    ['OPTIONS', '/livez'],
    ['POST', '/livez'],
    ['GET', '/livez/'],
    ['GET', '/readyz'],
    ['GET', '/no'],
  ]) {
    const request = () => new Request(`http://localhost:8000${path}`, { method })
    expect(await seen(app.process.answerEarly, request())).toEqual(await seen(app.fetch, request()))
  }
})

test('requests of probes do not count as work, which turns on the JIT', async () => {
  const app = await apps.open()
  const asks = (target: string) => app.isProbe(new Request(`http://localhost:8000${target}`))
  expect(['/livez', '/readyz', '/readyz?verbose', '/metrics'].map(asks)).toEqual([true, true, true, true])
  expect(['/', '/livez/', '/users/me', '/token?from=/livez', '/docs'].map(asks)).toEqual(Array(5).fill(false))
})

describeEachDialect('/readyz', (dialect) => {
  test('is ready if a write succeeds, and writes at each probe', async () => {
    const app = await apps.open({ dialect })
    expect(await probe(app)).toEqual([200, { status: 'ready', mail: 'off' }])
    await app.clock.advance(60_000)
    expect(await probe(app)).toEqual([200, { status: 'ready', mail: 'off' }])
    expect(await app.rows.writeProbes.all()).toMatchObject([{ name: 'readyz', writtenAt: app.clock.now() }])
  })

  test('12.C1 the probes of one second share one write', async () => {
    const app = await apps.open({ dialect })
    const first = app.clock.now()
    await probe(app)
    await app.clock.advance(999)
    expect(await probe(app)).toEqual([200, { status: 'ready', mail: 'off' }])
    expect(await app.rows.writeProbes.all()).toMatchObject([{ writtenAt: first }])
    await app.clock.advance(1)
    await probe(app)
    expect(await app.rows.writeProbes.all()).toMatchObject([{ writtenAt: first + 1_000 }])
  })

  test('12.C1 a probe writes as much as a registration', async () => {
    const app = await apps.open({ dialect })
    await probe(app)
    const [row] = await app.rows.writeProbes.all()
    expect(row?.padding?.length).toBeGreaterThanOrEqual(dialect.name === 'sqlite' ? 32 * 4096 : 1_900)
  })

  test('reports that the database takes no writes; the reason is in the log alone', async () => {
    const app = await apps.open({ dialect })
    await runSql(app, 'DROP TABLE write_probes')
    const response = await app.request('GET', '/readyz')
    expect(response.headers.get('retry-after')).toBe('5')
    expect([response.status, await response.json()]).toEqual([
      503,
      {
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'Not ready: the database does not take writes',
        code: 'not_ready',
      },
    ])
    const [refused = ''] = app.logs.filter((line) => line.includes('"event":"refused"'))
    expect(refused).toMatch(
      /"error_message":"(?:no such table: write_probes|relation \\"write_probes\\" does not exist)"/,
    )
  })

  test('reports a missing migration', async () => {
    const app = await apps.open({ dialect })
    await runSql(app, "DELETE FROM keyward_migrations WHERE name LIKE '0000%'")
    expect(await probe(app)).toEqual([
      503,
      expect.objectContaining({ detail: 'Not ready: the database lacks migrations of this version' }),
    ])
  })

  test('stays ready after a newer version has migrated the database', async () => {
    const app = await apps.open({ dialect })
    await runSql(app, "INSERT INTO keyward_migrations (name, sha256, applied_at) VALUES ('9999_of_tomorrow', 'x', 0)")
    expect(await probe(app)).toEqual([200, { status: 'ready', mail: 'off' }])
  })
})

// SQLite does the same on a disk that is full: test/binary/faults-disk.check.ts.
for (const dialect of dialects.filter(({ name }) => name === 'postgresql'))
  test('12.C1 a write that was refused for lack of space counts for 5 seconds', async () => {
    const app = await apps.open({ dialect })
    const json = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }
    await runSql(
      app,
      `CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`,
    )
    await runSql(app, 'CREATE TRIGGER no_space BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION no_space()')
    expect(await probe(app)).toEqual([200, { status: 'ready', mail: 'off' }])
    expect((await app.request('POST', '/register', { json })).status).toBe(503)
    const full: Probed = [503, expect.objectContaining({ detail: 'Not ready: the database has no space for writes' })]
    await app.clock.advance(1_000)
    expect(await probe(app)).toEqual(full)
    await app.clock.advance(3_999)
    expect(await probe(app)).toEqual(full)
    await runSql(app, 'DROP TRIGGER no_space ON users')
    await app.clock.advance(1_000)
    expect(await probe(app)).toEqual([200, { status: 'ready', mail: 'off' }])
    expect((await app.request('POST', '/register', { json })).status).toBe(201)
  })

describe('/readyz', () => {
  test('is shutting_down while the process drains', async () => {
    const app = await apps.open()
    app.process.beginDraining()
    expect(await probe(app)).toEqual([
      503,
      expect.objectContaining({ code: 'shutting_down', detail: 'The service is stopping' }),
    ])
    expect((await app.request('POST', '/token', { form: { username: 'ada', password: 'x' } })).status).toBe(401)
  })

  test('reports that there is no signing key', async () => {
    const signing = () => {
      throw new Error('in-the-log-alone')
    }
    const app = await apps.open({ replace: { signingKeys: (real) => ({ ...real, signing }) } })
    const [status, body] = await probe(app)
    expect([status, body.detail]).toEqual([503, 'Not ready: there is no signing key'])
  })

  test('parallel probes share one write, and wait at most 5 seconds for one that hangs', async () => {
    const app = await apps.open()
    const held = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const holder = app.process.transaction(async () => {
      begun.resolve()
      await held.promise
    })
    await begun.promise
    const probes = Promise.all([probe(app), probe(app), probe(app)])
    while (app.process.waits().waiting === 0) await nextTurn()
    await app.clock.advance(4_999)
    expect(app.process.waits().waiting).toBe(1)
    await app.clock.advance(1)
    for (const [status, body] of await probes) {
      expect(status).toBe(503)
      expect(body.detail).toBe('Not ready: the database does not answer')
    }
    held.resolve()
    await holder
  })

  test('successful probes are logged at level debug, failed ones at info', async () => {
    const app = await apps.open()
    app.logs.length = 0
    await probe(app)
    app.process.beginDraining()
    await probe(app)
    const lines = app.logs.map((line) => JSON.parse(line))
    expect(lines.map(({ level, event, route, status, code }) => [level, event, route, status, code])).toEqual([
      ['debug', 'request', '/readyz', 200, undefined],
      ['info', 'request', '/readyz', 503, 'shutting_down'],
    ])
  })
})

/** Changes the database like an administrator would while the server runs. */
async function runSql({ databaseUrl }: TestApp, sql: string): Promise<void> {
  const storage = await openUrl(databaseUrl)
  await storage.rows(sql)
  await storage.close()
}

type Probed = [status: number, body: Record<string, unknown>]

async function probe(app: TestApp): Promise<Probed> {
  const response = await app.request('GET', '/readyz')
  return [response.status, (await response.json()) as Record<string, unknown>]
}
