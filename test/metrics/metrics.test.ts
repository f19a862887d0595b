import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { metricsRoutes } from '../../src/features/metrics/routes.ts'
import { createHttpKit } from '../../src/http/kit.ts'
import { createRegistry } from '../../src/lib/prometheus.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { serve } from '../support/socket.ts'

const apps = appsPerTest()

const METRICS_TOKEN = 'scrape-only-9f2m4x8q'

describe('/metrics', () => {
  test('does not exist without METRICS_TOKEN', async () => {
    const app = await apps.open()
    expect((await app.request('GET', '/metrics', { token: METRICS_TOKEN })).status).toBe(404)
  })

  test('requires METRICS_TOKEN as a Bearer token', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    const { grant } = await app.signUp()
    const answers = [
      undefined,
      'scrape-only-9f2m4x8',
      `${METRICS_TOKEN}x`,
      'scrape-only-9f2m4x8Q',
      grant.access_token,
    ].map(async (token) => {
      const response = await app.request('GET', '/metrics', { token })
      return [response.status, response.headers.get('www-authenticate'), (await response.text()).includes('# HELP')]
    })
    const [none, ...wrong] = await Promise.all(answers)
    expect(none).toEqual([401, 'Bearer realm="keyward"', false])
    for (const one of wrong) expect(one).toEqual([401, 'Bearer realm="keyward", error="invalid_token"', false])
    const response = await app.request('GET', '/metrics', { token: METRICS_TOKEN })
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
  })

  test('accepts METRICS_TOKEN nowhere else and with no other scheme', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    const ask = (path: string, authorization?: string) =>
      app.request('GET', path, { headers: authorization === undefined ? {} : { authorization } })
    for (const name of [
      'access_token',
      '',
      'bearer',
      'Bearer',
      '%ED%A0%80',
      '%EF%BF%BD',
      '\uFFFD',
      'undefined',
      'null',
    ])
      for (const header of [undefined, 'Bearer', 'Bearer x', 'Basic x', 'Bearer x'.toUpperCase()])
        expect([name, (await ask(`/metrics?${name}=${METRICS_TOKEN}`, header)).status]).toEqual([name, 401])
    for (const scheme of ['bearer ', 'BEARER ', 'Bearer', 'BearerX', 'Bearer:', 'Bearer\t', 'Basic ', 'Token ', ''])
      await expectRefusal(await ask('/metrics', `${scheme}${METRICS_TOKEN}`), 'not_authenticated')
    await expectRefusal(await ask('/metrics', `Bearer Bearer ${METRICS_TOKEN}`), 'invalid_token')
    await expectRefusal(
      await app.request('POST', '/metrics', { form: { access_token: METRICS_TOKEN } }),
      'method_not_allowed',
    )
    const served = serve(app)
    const { status } = await served.raw(
      'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
        `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 34\r\n\r\naccess_token=${METRICS_TOKEN}`,
    )
    expect(status).toBe(401)
    await served.stop()
  })

  test('does not run the hook that reads its token on other routes', async () => {
    const metrics = { answered() {}, login: (_: unknown, attempt: never) => attempt, text: () => '' }
    const seen = (context: object) => String('bearer' in context)
    const kit = createHttpKit([], () => undefined)
    const elysia = new Elysia()
      .get('/before', seen)
      .use(metricsRoutes(metrics, METRICS_TOKEN, kit))
      .get('/after', seen)
    const hooksOf = (path: string) => elysia.routes.find((route) => route.path === path)?.hooks.transform ?? []
    expect(hooksOf('/metrics')).toHaveLength(1)
    for (const path of ['/before', '/after']) {
      expect(hooksOf(path)).toEqual([])
      const answer = await elysia.handle(new Request(`http://localhost${path}?access_token=x`))
      expect([path, await answer.text()]).toEqual([path, 'false'])
    }
  })

  test('has a token that no other route accepts', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    expect((await app.request('GET', '/users/me', { token: METRICS_TOKEN })).status).toBe(401)
  })

  test('is text that a Prometheus parser accepts, each series once', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    await app.signUp()
    await app.request('GET', '/nowhere')
    const text = await metricsText(app)
    const names = new Set<string>()
    const series = new Set<string>()
    for (const line of text.trimEnd().split('\n')) {
      const type = /^# TYPE ([a-z_]+) (?:counter|gauge|histogram)$/.exec(line)
      if (type) names.add(type[1]!)
      else if (!/^# HELP [a-z_]+ \S/.test(line)) {
        const parts = /^([a-z_]+)(\{(?:[a-z_]+="[^"\\\n]*",?)+\})? -?[\d.e+-]+$/.exec(line)
        expect(line).toBe(parts?.[0] ?? 'a sample')
        expect(names).toContain(parts![1]!.replace(/_(bucket|sum|count)$/, ''))
        const id = `${parts![1]}${parts![2] ?? ''}`
        expect(series).not.toContain(id)
        series.add(id)
      }
    }
    expect(series.size).toBeGreaterThan(50)
  })

  test('counts requests by method, route and status, with fixed labels whatever clients send', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    const { grant } = await app.signUp()
    for (let i = 0; i < 3; i++) await app.request('GET', '/users/me?q=secret', { token: grant.access_token })
    await app.request('GET', '/users/me')
    await app.request('HEAD', '/users/me', { token: grant.access_token })
    for (const path of ['/a', '/b', '/users/me/"}\n']) await app.request('GET', encodeURI(path))
    await app.request('PROPFIND', '/users/me')
    await app.request('DELETE', '/users/me/x/y')
    const text = await metricsText(app)
    const count = (labels: string) => sample(text, `keyward_http_requests_total{${labels}}`)
    expect(count('method="GET",route="/users/me",status="200"')).toBe(3)
    expect(count('method="GET",route="/users/me",status="401"')).toBe(1)
    expect(count('method="HEAD",route="/users/me",status="200"')).toBe(1)
    expect(count('method="GET",route="unmatched",status="404"')).toBe(3)
    expect(count('method="other",route="/users/me",status="405"')).toBe(1)
    expect(count('method="POST",route="/register",status="201"')).toBe(1)
    expect(text).not.toContain('secret')
    expect(text).not.toContain('PROPFIND')
    expect(sample(text, 'keyward_refusals_total{code="not_authenticated"}')).toBe(1)
    expect(sample(text, 'keyward_refusals_total{code="not_found"}')).toBe(4)
    expect(sample(text, 'keyward_refusals_total{code="method_not_allowed"}')).toBe(1)
  })

  test('counts logins by outcome', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    await app.signUp('ada')
    await app.request('POST', '/token', { form: { username: 'ada', password: 'wrong' } })
    await app.request('POST', '/user/token', { json: { username: 'nobody', password: 'wrong' } })
    await app.request('POST', '/token', { form: { username: 'ada' } })
    const text = await metricsText(app)
    const count = (outcome: string) => sample(text, `keyward_logins_total{method="password",outcome="${outcome}"}`)
    expect([count('success'), count('invalid_credentials')]).toEqual([1, 2])
  })

  test('shows the queue of password hashes: running, waiting, refused', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    await app.signUp()
    const text = await metricsText(app)
    expect(sample(text, 'keyward_hash_waits_total')).toBe(2)
    for (const name of [
      'keyward_hashes_running',
      'keyward_hash_queue_length',
      'keyward_hash_wait_seconds_total',
      'keyward_hash_refused_total',
    ])
      expect(sample(text, name)).toBe(0)
  })

  test('shows memory, processor time and version', async () => {
    const app = await apps.open({ env: { METRICS_TOKEN } })
    const text = await metricsText(app)
    expect(text).toMatch(/^keyward_build_info\{version="\d+\.\d+\.\d+",bun="[\d.]+",database="\w+"\} 1$/m)
    for (const name of ['process_resident_memory_bytes', 'process_heap_bytes', 'process_cpu_seconds_total'])
      expect(sample(text, name)).toBe(0)
    expect(sample(text, 'process_start_time_seconds')).toBe(Date.UTC(2026, 0, 1) / 1000)
  })
})

describeEachDialect('/metrics', (dialect) => {
  test('counts transactions that waited for the database', async () => {
    const app = await apps.open({ dialect, env: { METRICS_TOKEN } })
    const waits = async () => sample(await metricsText(app), 'keyward_database_waits_total')
    const before = await waits()
    await app.process.transaction(async () => {})
    expect(await waits()).toBe(before + 1)
    const text = await metricsText(app)
    expect(sample(text, 'keyward_database_queue_length')).toBe(0)
    expect(sample(text, 'keyward_database_wait_seconds_total')).toBeGreaterThanOrEqual(0)
  })
})

describe('the registry', () => {
  test('writes cumulative histogram buckets that include their bound, with sum and count', () => {
    const registry = createRegistry()
    const cell = registry.histogram('waits_seconds', 'Waits', ['of'], [0.1, 1]).cell('x')
    for (const seconds of [0.05, 0.1, 0.5, 3]) cell.observe(seconds)
    expect(registry.text()).toBe(
      [
        '# HELP waits_seconds Waits',
        '# TYPE waits_seconds histogram',
        'waits_seconds_bucket{of="x",le="0.1"} 2',
        'waits_seconds_bucket{of="x",le="1"} 3',
        'waits_seconds_bucket{of="x",le="+Inf"} 4',
        'waits_seconds_sum{of="x"} 3.65',
        'waits_seconds_count{of="x"} 4',
        '',
      ].join('\n'),
    )
  })

  test('escapes label values and help', () => {
    const registry = createRegistry()
    registry.info('build', 'a\\b\nc', { by: '"a"\\b\nc' })
    expect(registry.text()).toBe('# HELP build a\\\\b\\nc\n# TYPE build gauge\nbuild{by="\\"a\\"\\\\b\\nc"} 1\n')
  })

  test('keeps one value for the same labels', () => {
    const registry = createRegistry()
    const family = registry.counter('things_total', 'Things', ['kind'])
    family.cell('a').add()
    family.cell('b').add(2)
    family.cell('a').add(3)
    expect(registry.text()).toContain('things_total{kind="a"} 4\nthings_total{kind="b"} 2\n')
  })
})

async function metricsText(app: TestApp): Promise<string> {
  const response = await app.request('GET', '/metrics', { token: METRICS_TOKEN })
  if (response.status !== 200) throw new Error(`/metrics: ${response.status}`)
  return response.text()
}

/** The value of one series; NaN if it is missing. */
function sample(text: string, series: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1))
}
