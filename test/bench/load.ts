import { constants, setPriority } from 'node:os'
import { carryOver, readAnswer } from './connection.ts'
import { type LoadPlan, percentile, type Reading } from './plan.ts'
import { coresOf, cpuSeconds, watchMachine } from './proc.ts'

/*
 * The load generator runs in a separate process, so that it shares no event loop with the measured server. It sends
 * prepared HTTP/1.1 requests over raw sockets: it keeps up with 90,000 a second from a bare server, where `fetch` would
 * be the bottleneck.
 */

interface Connection {
  socket: Bun.Socket<Connection>
  /** The request of this connection, into which a member of each answer is copied. */
  request: Buffer | undefined
  /** The bytes of an incomplete answer. */
  rest: Buffer | undefined
  /** When its request was sent or due; negative while no answer is awaited. */
  since: number
}

const plan: LoadPlan = JSON.parse(await Bun.stdin.text())
const requests = plan.requests.map((request) => Buffer.from(request, 'base64'))
let next = 0
const connections: Connection[] = []
let idle: Connection[] = []
/** When requests were due that found no free connection. */
const waiting: number[] = []
const answers = new Map<string, number>()
const latencies: number[] = []
const lateness: number[] = []
let measuring = false
let stopping = false

function nextRequest(): Buffer {
  if (plan.once && next === requests.length) throw new Error(`${next} requests were too few`)
  if (next === requests.length) next = 0
  return requests[next++]!
}

function send(connection: Connection, since: number): void {
  connection.since = since
  const request = connection.request ?? nextRequest()
  if (connection.socket.write(request) !== request.byteLength) throw new Error('the server does not read its requests')
}

const count = (answer: string): unknown => answers.set(answer, (answers.get(answer) ?? 0) + 1)

function receive(connection: Connection, chunk: Buffer): void {
  const data = connection.rest ? Buffer.concat([connection.rest, chunk]) : chunk
  const answer = readAnswer(data)
  if (answer === undefined) {
    // Copied, because the socket reuses the chunk's memory.
    connection.rest = connection.rest ? data : Buffer.from(chunk)
    return
  }
  if (answer.length !== data.byteLength) throw new Error('more than one answer to one request')
  connection.rest = undefined
  const now = performance.now()
  if (measuring) {
    count(String(answer.status))
    if (answer.status < 300) latencies.push(now - connection.since)
  }
  connection.since = -1
  if (connection.request) carryOver(plan.chain!, data, connection.request)
  sendNext(connection, now)
}

function sendNext(connection: Connection, now: number): void {
  if (stopping) return
  const due = waiting.shift()
  if (plan.rate === undefined) send(connection, now)
  else if (due === undefined) idle.push(connection)
  else sendDue(connection, due, now)
}

function sendDue(connection: Connection, due: number, now: number): void {
  if (measuring) lateness.push(now - due)
  send(connection, due)
}

async function connect(connection: Connection): Promise<void> {
  connection.socket = await Bun.connect<Connection>({
    hostname: '127.0.0.1',
    port: plan.port,
    data: connection,
    socket: {
      data: (socket, chunk) => attempt(() => receive(socket.data, chunk)),
      close: () => {
        if (stopping) return
        if (measuring) count('closed')
        idle = idle.filter((one) => one !== connection)
        connection.since = -1
        connection.rest = undefined
        connect(connection).catch(fail)
      },
      error: (_, error) => fail(error),
    },
  })
  sendNext(connection, performance.now())
}

/** Sends the requests that are due. If the event loop is late, this shows in `lateness` and in the latency. */
function pace(rate: number): void {
  let due = performance.now()
  const sendAllDue = () => {
    if (stopping) return
    const now = performance.now()
    for (; due <= now; due += 1_000 / rate) {
      const connection = idle.shift()
      if (connection) sendDue(connection, due, now)
      else waiting.push(due)
    }
    // Not more often than needed: the CPU time of this process is taken from the measured hashes.
    setTimeout(sendAllDue, due - now)
  }
  sendAllDue()
}

function fail(error: unknown): never {
  process.stderr.write(`load generator: ${String(error)}\n`)
  process.exit(1)
}

/** Rethrows outside, because Bun logs an error in a socket's handler and continues. */
function attempt(work: () => void): void {
  try {
    work()
  } catch (error) {
    fail(error)
  }
}

/** Ages of the overdue answers: a server that stalls must not look fast. */
const overdue = (now: number): number[] =>
  plan.rate === undefined
    ? []
    : [...waiting, ...connections.flatMap(({ since }) => (since < 0 ? [] : [since]))].map((since) => now - since)

/** Waits for the hashes of clients that have left, which would slow down the next server. */
async function settle(): Promise<void> {
  const patience = performance.now() + 30_000
  while (connections.some(({ since }) => since >= 0) && performance.now() < patience) await Bun.sleep(10)
}

async function generate(): Promise<Reading> {
  for (let index = 0; index < plan.connections; index++) {
    const request = plan.chain === undefined ? undefined : requests[index]
    connections.push({ request, rest: undefined, since: -1 } as unknown as Connection)
  }
  await Promise.all(connections.map(connect))
  if (plan.rate !== undefined) pace(plan.rate)
  await Bun.sleep(plan.warmupMs)
  const watch = watchMachine(process.ppid)
  const ownBefore = process.cpuUsage()
  const cpuBefore = cpuSeconds(plan.pid)
  measuring = true
  await Bun.sleep(plan.durationMs)
  measuring = false
  const { seconds, foreignCores } = watch()
  const cpu = cpuSeconds(plan.pid) - cpuBefore
  const own = process.cpuUsage(ownBefore)
  stopping = true
  const ages = overdue(performance.now())
  await settle()
  const sorted = Float64Array.from([...latencies, ...ages]).sort()
  const all = [...answers].reduce((sum, [answer, times]) => (answer === 'closed' ? sum : sum + times), 0)
  return {
    seconds,
    answers: Object.fromEntries(answers),
    perSecond: latencies.length / seconds,
    cpuMicros: (cpu * 1e6) / all,
    perCoreSecond: latencies.length / cpu,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    late99: lateness.length === 0 ? 0 : percentile(Float64Array.from(lateness).sort(), 0.99),
    ownCores: coresOf(own, seconds),
    foreignCores,
  }
}

if (plan.rate !== undefined) {
  // If the system allows it: a prober that waits for a core would measure its own wait.
  try {
    setPriority(constants.priority.PRIORITY_HIGH)
  } catch {}
}

generate()
  .then((reading) => process.stdout.write(JSON.stringify(reading), () => process.exit(0)))
  .catch(fail)
