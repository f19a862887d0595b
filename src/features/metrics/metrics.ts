import { version } from '../../../package.json'
import { refusalIn } from '../../errors.ts'
import { type Clock, SECOND } from '../../lib/clock.ts'
import { createRegistry } from '../../lib/prometheus.ts'
import type { Store } from '../../storage/store.ts'
import type { Logouts } from '../logouts/logouts.ts'
import type { Mails } from '../mail/mail.ts'
import type { Passwords } from '../passwords/passwords.ts'

/** The memory in use now, and the processor time since the start of the process. */
export interface ProcessUsage {
  residentBytes: number
  heapBytes: number
  cpuSeconds: number
}

/** One answered request. */
interface Answered {
  method: string
  /** The path pattern of the route, never the requested path; `unmatched` when no route matches. */
  pattern: string
  status: number
  milliseconds: number
  /** The error code of the answer; undefined when the answer is not an error. */
  code: string | undefined
}

export interface Metrics {
  answered(answered: Answered): void
  /**
   * Counts a login by the outcome of `attempt`: `success`, the code of a refusal, or `internal` for any other error.
   * @returns the result of `attempt`
   * @throws the error of `attempt`
   */
  login<T>(method: 'password' | 'email' | 'social' | 'second_factor' | 'passkey', attempt: Promise<T>): Promise<T>
  /** All metrics in the Prometheus text format 0.0.4. */
  text(): string
}

/**
 * The upper bounds of the latency buckets, in seconds. The bounds cover all usual requests: a read takes less than
 * 0.5 ms, a login with bcrypt cost 12 takes 0.25 s, and a login that waits in the queue of hashes takes longer.
 */
const LATENCY_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The label for every method outside `METHODS`. Otherwise a client could create any number of time series. */
const OTHER_METHOD = 'other'
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', OTHER_METHOD])

interface MetricsNeeds {
  passwords: Pick<Passwords, 'stats'>
  store: Pick<Store, 'stats' | 'dialect'>
  mails: Pick<Mails, 'stats'>
  logouts: Pick<Logouts, 'stats'>
  clock: Clock
  usage: () => ProcessUsage
}

/**
 * Makes the metrics of this process. The values of labels come from fixed sets (methods, patterns, statuses, codes),
 * never from text that a user or a client chooses. This bounds the number of time series.
 */
export function createMetrics({ passwords, store, mails, logouts, clock, usage }: MetricsNeeds): Metrics {
  const registry = createRegistry()
  registry.info('keyward_build_info', 'The running version', { version, bun: Bun.version, database: store.dialect })
  const requests = registry.counter('keyward_http_requests_total', 'Answered requests', ['method', 'route', 'status'])
  const latency = registry.histogram(
    'keyward_http_request_duration_seconds',
    'Time from the request to its answer',
    ['method', 'route'],
    LATENCY_BOUNDS,
  )
  const refusals = registry.counter('keyward_refusals_total', 'Refused requests by code', ['code'])
  const logins = registry.counter('keyward_logins_total', 'Logins by outcome', ['method', 'outcome'])
  const { read } = registry
  const hashes = passwords.stats
  read('keyward_hashes_running', 'Password hashes being computed', () => hashes().running)
  read('keyward_hash_queue_length', 'Password hashes waiting for a core', () => hashes().queued)
  read('keyward_hash_waits_total', 'Password hashes started after their wait', () => hashes().waitedTotal, 'counter')
  read(
    'keyward_hash_wait_seconds_total',
    'Time that password hashes waited',
    () => hashes().waitedMsTotal / SECOND,
    'counter',
  )
  read(
    'keyward_hash_refused_total',
    'Password hashes refused because of overload',
    () => hashes().refusedTotal,
    'counter',
  )
  const database = store.stats
  read('keyward_database_queue_length', 'Transactions waiting for the database', () => database().waiting)
  read('keyward_database_waits_total', 'Transactions started after their wait', () => database().waitedTotal, 'counter')
  read(
    'keyward_database_wait_seconds_total',
    'Time that transactions waited',
    () => database().waitedMsTotal / SECOND,
    'counter',
  )
  const mail = mails.stats
  read('keyward_mails_sent_total', 'Mails that the mail server took', () => mail().sentTotal, 'counter')
  read('keyward_mail_failures_total', 'Failed attempts to send a mail', () => mail().failedTotal, 'counter')
  read('keyward_mails_dead_total', 'Mails that were given up', () => mail().deadTotal, 'counter')
  read('keyward_mail_queue_length', 'Mails that wait in the database', () => mail().queued)
  read('keyward_mail_oldest_seconds', 'Age of the oldest mail that waits', () => mail().oldestMs / SECOND)
  const logout = logouts.stats
  read('keyward_logouts_total', 'Logouts that clients were told of', () => logout().deliveredTotal, 'counter')
  read('keyward_logout_failures_total', 'Failed attempts to tell a client', () => logout().failedTotal, 'counter')
  read('keyward_logouts_given_up_total', 'Logouts that were given up', () => logout().givenUpTotal, 'counter')
  read('keyward_logout_queue_length', 'Logouts that wait in the database', () => logout().queued)
  read('process_resident_memory_bytes', 'Memory in use', () => usage().residentBytes)
  read('process_heap_bytes', 'Memory that JavaScript uses', () => usage().heapBytes)
  read('process_cpu_seconds_total', 'Processor time used', () => usage().cpuSeconds, 'counter')
  const startedAt = clock.now()
  read('process_start_time_seconds', 'When the process started, since 1970', () => startedAt / SECOND)

  return {
    answered({ method: typed, pattern, status, milliseconds, code }) {
      const method = METHODS.has(typed) ? typed : OTHER_METHOD
      requests.cell(method, pattern, String(status)).add()
      latency.cell(method, pattern).observe(milliseconds / SECOND)
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
