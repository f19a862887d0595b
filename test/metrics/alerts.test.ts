import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { catalogue } from '../../src/errors.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startProxy } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { type Served, serve } from '../support/socket.ts'

setDefaultTimeout(30_000)

const METRICS_TOKEN = 'scrape-only-9f2m4x8q'
const [config, rules] = blocksOf(await readChapter('metrics'))
  .filter(({ language }) => language === 'yaml')
  .map(({ text }) => text) as [string, string]
const { groups } = Bun.YAML.parse(rules) as { groups: { rules: { alert: string; expr: string }[] }[] }
const alerts = groups.flatMap((group) => group.rules)

/** Series of one instance that works as it should, one value a minute for 40 minutes. */
const healthy: Record<string, string> = {
  'up{job="keyward",instance="a"}': '1x40',
  'process_start_time_seconds{job="keyward",instance="a"}': '1000x20 2200x20',
  'keyward_http_requests_total{job="keyward",instance="a",status="200"}': '0+6000x40',
  'keyward_http_requests_total{job="keyward",instance="a",status="500"}': '0+6x40',
  'keyward_http_request_duration_seconds_bucket{job="keyward",instance="a",route="/users/me",le="0.05"}': '0+5990x40',
  'keyward_http_request_duration_seconds_bucket{job="keyward",instance="a",route="/users/me",le="0.25"}': '0+6000x40',
  'keyward_http_request_duration_seconds_bucket{job="keyward",instance="a",route="/users/me",le="+Inf"}': '0+6000x40',
  'keyward_refusals_total{job="keyward",instance="a",code="overloaded"}': '0x40',
  'keyward_refusals_total{job="keyward",instance="a",code="database_busy"}': '0x40',
  'keyward_refusals_total{job="keyward",instance="a",code="database_unavailable"}': '0x40',
  'keyward_refusals_total{job="keyward",instance="a",code="invalid_credentials"}': '0+20x40',
  'keyward_hash_queue_length{job="keyward",instance="a"}': '0 3 0x38',
  'keyward_logins_total{job="keyward",instance="a",outcome="success"}': '0+100x40',
  'keyward_logins_total{job="keyward",instance="a",outcome="invalid_credentials"}': '0+20x40',
}

/** What goes wrong, by the one alert that then fires: other values of the series whose names end like this. */
const troubles: Record<string, Record<string, string>> = {
  KeywardDown: { 'up{job="keyward",instance="a"}': '0x40' },
  KeywardRestarts: { 'process_start_time_seconds{job="keyward",instance="a"}': '1000+60x40' },
  KeywardErrors: { 'keyward_http_requests_total{job="keyward",instance="a",status="500"}': '0+120x40' },
  KeywardDatabase: { 'keyward_refusals_total{job="keyward",instance="a",code="database_unavailable"}': '0+2x40' },
  KeywardOverloaded: { 'keyward_hash_queue_length{job="keyward",instance="a"}': '4x40' },
  KeywardSlow: {
    'keyward_http_request_duration_seconds_bucket{job="keyward",instance="a",route="/users/me",le="0.05"}': '0+5000x40',
  },
  KeywardGuessing: { 'keyward_logins_total{job="keyward",instance="a",outcome="invalid_credentials"}': '0+600x40' },
}

const inputs = (changed: Record<string, string>) =>
  Object.entries({ ...healthy, ...changed }).map(([series, values]) => ({ series, values }))

/** Lets promtool compute the alerts of these series. @returns what promtool finds wrong, empty if nothing */
async function promtool(cases: { changed: Record<string, string>; fires: string[] }[]): Promise<string> {
  const folder = scratchFolder('promtool')
  await Bun.write(join(folder, 'keyward.rules.yml'), rules)
  const tests = cases.map(({ changed, fires }) => ({
    interval: '1m',
    input_series: inputs(changed),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '39m',
        exp_samples: fires.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
      },
    ],
  }))
  const content = { rule_files: ['keyward.rules.yml'], evaluation_interval: '1m', tests }
  await Bun.write(join(folder, 'test.yml'), JSON.stringify(content))
  const child = Bun.spawn(['promtool', 'test', 'rules', 'test.yml'], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return code === 0 ? '' : out + err
}

describe.skipIf(!hasPrograms('promtool'))('12.D8 the alerts of the guide, computed by promtool', () => {
  test('are silent for a healthy service with some errors, wrong passwords and one restart', async () => {
    expect(await promtool([{ changed: {}, fires: [] }])).toBe('')
  })

  test('fire one by one, each for its own trouble', async () => {
    expect(alerts.map(({ alert }) => alert)).toEqual(Object.keys(troubles))
    const cases = Object.entries(troubles).map(([name, changed]) => ({ changed, fires: [name] }))
    for (const { changed } of cases) expect(Object.keys(healthy)).toContain(Object.keys(changed)[0]!)
    expect(await promtool(cases)).toBe('')
  })

  test('fire for refusals because of overload too', async () => {
    const changed = { 'keyward_refusals_total{job="keyward",instance="a",code="overloaded"}': '0+5x40' }
    expect(await promtool([{ changed, fires: ['KeywardOverloaded'] }])).toBe('')
  })
})

describe.skipIf(!hasPrograms('prometheus'))(
  '12.D8 Prometheus with the configuration and the alerts of the guide',
  () => {
    let keyward: TestApp
    let served: Served
    let prometheus: RunningProxy

    beforeAll(async () => {
      keyward = await createTestApp({ env: { METRICS_TOKEN } })
      served = serve(keyward)
      const ada = await keyward.signUp('ada')
      await keyward.request('POST', '/token', { form: { username: 'ada', password: 'wrong' } })
      await keyward.request('GET', '/users/me', { token: ada.grant.access_token })
      const folder = scratchFolder('prometheus')
      await Bun.write(join(folder, 'token'), METRICS_TOKEN)
      await Bun.write(join(folder, 'keyward.rules.yml'), rules)
      const own = config
        .replace('/etc/prometheus/keyward-token', join(folder, 'token'))
        .replace('/etc/prometheus/keyward.rules.yml', join(folder, 'keyward.rules.yml'))
        .replace('keyward:8000', new URL(served.url).host)
      expect(own).not.toContain('/etc')
      await Bun.write(
        join(folder, 'prometheus.yml'),
        `global: { scrape_interval: 1s, evaluation_interval: 1s }\n${own}\n`,
      )
      prometheus = await startProxy(async (port) => ({
        args: [
          'prometheus',
          `--config.file=${join(folder, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--log.level=error',
        ],
      }))
    })
    afterAll(async () => {
      await prometheus?.stop()
      await served?.stop()
      await keyward?.close()
    })

    /** Asks until the answer of Prometheus is there, which scrapes and evaluates once a second. */
    async function ask<T>(path: string, isThere: (data: T) => boolean): Promise<T> {
      for (;;) {
        const response = await fetch(`${prometheus.url}/api/v1/${path}`)
        const { data } = response.ok ? ((await response.json()) as { data: T }) : {}
        if (data !== undefined && isThere(data)) return data
        await new Promise(setImmediate)
      }
    }

    test('scrapes Keyward with METRICS_TOKEN, and can evaluate every alert', async () => {
      type Targets = { activeTargets: { health: string; lastError: string }[] }
      const { activeTargets } = await ask<Targets>(
        'targets',
        ({ activeTargets: [one] }) => one !== undefined && one.health !== 'unknown',
      )
      expect(activeTargets.map(({ health, lastError }) => [health, lastError])).toEqual([['up', '']])
      type Rules = { groups: { rules: { name: string; health: string }[] }[] }
      const evaluated = await ask<Rules>(
        'rules',
        (data) => data.groups[0]?.rules.every((one) => one.health !== 'unknown') ?? false,
      )
      expect(evaluated.groups[0]!.rules.map(({ name, health }) => [name, health])).toEqual(
        alerts.map(({ alert }) => [alert, 'ok']),
      )
    })

    test('finds every metric and label of the alerts in what Keyward answers', async () => {
      type Series = { __name__: string }[]
      const all = await ask<Series>(
        `series?match[]=${encodeURIComponent('{job="keyward"}')}`,
        (data) => data.length > 20,
      )
      const names = new Set(all.map(({ __name__ }) => __name__))
      for (const { alert, expr } of alerts) {
        const named = [...expr.matchAll(/\b((?:keyward|process)_[a-z_]+|up)(?:\{([^}]*)\})?/g)]
        expect(named.length).toBeGreaterThan(0)
        for (const [, name, labels = ''] of named) {
          expect([alert, name, names.has(name!)]).toEqual([alert, name, true])
          for (const [, label] of labels.matchAll(/(\w+)=/g))
            expect([alert, label, all.some((one) => one.__name__ === name && label! in one)]).toEqual([
              alert,
              label,
              true,
            ])
        }
        for (const [, values] of expr.matchAll(/(?:code|outcome)=~?"([^"]*)"/g))
          for (const value of values!.split('|')) expect([...Object.keys(catalogue), 'success']).toContain(value)
      }
    })
  },
)
