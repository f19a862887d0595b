import { version } from '../../../package.json'
import { refusalIn } from '../../errors.ts'
import { type Clock, SECOND } from '../../lib/clock.ts'
import { type Counter, createRegistry, type Histogram } from '../../lib/prometheus.ts'
import type { Store } from '../../storage/store.ts'
import type { Passwords } from '../passwords/passwords.ts'

/** What the operating system says of this process. */
export interface ProcessUsage {
  residentBytes: number
  heapBytes: number
  cpuSeconds: number
}

/** One answered request, as metrics group it. */
export interface Answered {
  method: string
  /** The route's pattern, never the path; one word where no route matched. */
  pattern: string
  status: number
  milliseconds: number
  /** The code of the refusal, if it was one. */
  code: string | undefined
}

export interface Metrics {
  answered(answered: Answered): void
  /** Counts a log-in by how it ended (`success`, or the code of its refusal) and passes its outcome on. */
  login<T>(method: 'password', attempt: Promise<T>): Promise<T>
  /** Everything in Prometheus' text format 0.0.4. */
  text(): string
}

/** Seconds: a read takes less than the first, a log-in at cost 12 a quarter of a second, a queue some. */
const LATENCY_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Any other word that a client may put in its place counts as one, or it could make series without end. */
const OTHER_METHOD = 'other'
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', OTHER_METHOD])

interface MetricsSources {
  passwords: Pick<Passwords, 'stats'>
  store: Pick<Store, 'stats' | 'dialect'>
  clock: Clock
  usage: () => ProcessUsage
}

/** Counts what operators watch. Labels are patterns, statuses and codes: nothing that a user or client chooses. */
export function createMetrics({ passwords, store, clock, usage }: MetricsSources): Metrics {
  const registry = createRegistry()
  registry.info('keyward_build_info', 'The version that runs', { version, bun: Bun.version, database: store.dialect })
  const requests = registry.counter('keyward_http_requests_total', 'Answered requests', ['method', 'route', 'status'])
  const latency = registry.histogram(
    'keyward_http_request_duration_seconds',
    'Time from the request to its answer',
    ['method', 'route'],
    LATENCY_BOUNDS,
  )
  const refusals = registry.counter('keyward_refusals_total', 'Refused requests by code', ['code'])
  const logins = registry.counter('keyward_logins_total', 'Log-ins by how they ended', ['method', 'outcome'])
  const { read } = registry
  const hashes = passwords.stats
  read('keyward_hashes_running', 'Password hashes being computed', () => hashes().running)
  read('keyward_hash_queue_length', 'Password hashes that wait for a core', () => hashes().queued)
  read('keyward_hash_waits_total', 'Password hashes that had their turn', () => hashes().waitedTotal, 'counter')
  read('keyward_hash_wait_seconds_total', 'Time they waited', () => hashes().waitedMsTotal / SECOND, 'counter')
  read('keyward_hash_refused_total', 'Hashes refused as too many', () => hashes().refusedTotal, 'counter')
  const database = store.stats
  read('keyward_database_queue_length', 'Transactions that wait for their turn', () => database().waiting)
  read('keyward_database_waits_total', 'Transactions that had their turn', () => database().waitedTotal, 'counter')
  read('keyward_database_wait_seconds_total', 'Time they waited', () => database().waitedMsTotal / SECOND, 'counter')
  read('process_resident_memory_bytes', 'Memory in use', () => usage().residentBytes)
  read('process_heap_bytes', 'The part of it that JavaScript uses', () => usage().heapBytes)
  read('process_cpu_seconds_total', 'Processor time used', () => usage().cpuSeconds, 'counter')
  const startedAt = clock.now()
  read('process_start_time_seconds', 'When the process started, since 1970', () => startedAt / SECOND)

  const routes = new Map<string, RouteCells>()

  /** Two look-ups by strings that live as long as the route table: cheaper than to join them. */
  function cellsOf(method: string, pattern: string): MethodCells {
    const known = routes.get(pattern)?.get(method)
    if (known) return known
    if (!METHODS.has(method)) return cellsOf(OTHER_METHOD, pattern)
    const cells: MethodCells = { latency: latency.cell(method, pattern), statuses: new Map() }
    const route: RouteCells = routes.get(pattern) ?? new Map()
    routes.set(pattern, route.set(method, cells))
    return cells
  }

  return {
    answered({ method, pattern, status, milliseconds, code }) {
      const cells = cellsOf(method, pattern)
      let counter = cells.statuses.get(status)
      if (!counter) {
        counter = requests.cell(METHODS.has(method) ? method : OTHER_METHOD, pattern, String(status))
        cells.statuses.set(status, counter)
      }
      counter.add()
      cells.latency.observe(milliseconds / SECOND)
      if (code !== undefined) refusals.cell(code).add()
    },
    async login(method, attempt) {
      try {
        const outcome = await attempt
        logins.cell(method, 'success').add()
        return outcome
      } catch (error) {
        logins.cell(method, refusalIn(error)?.code ?? 'internal').add()
        throw error
      }
    },
    text: registry.text,
  }
}

type RouteCells = Map<string, MethodCells>

interface MethodCells {
  latency: Histogram
  statuses: Map<number, Counter>
}
