import { type Clock, nextTurn } from '../lib/clock.ts'
import type { Exchange } from './exchange.ts'
import type { Pipeline } from './pipeline.ts'
import type { Target } from './target.ts'

/** A request that waits until its batch is processed, at the end of the turn of the event loop. */
interface Arrival {
  received: Request
  target: Target | undefined
  started: number
  resolve: (response: Response | Promise<Response>) => void
  reject: (error: unknown) => void
}

/**
 * Makes a function that takes requests through the steps of a pipeline in batches. Batches only save time: the answers
 * are the same as with `oneByOne`.
 *
 * The requests that arrive in one turn of the event loop make a batch. First the checks of all credentials start, then
 * the work on all answers starts, then all answers that are ready are reported. The code and data of one step stay in
 * the processor's caches. The answers are sent together, so the kernel wakes the process that reads them once. This
 * saves a fifth of the CPU time of a cheap request.
 */
export function inBatches(steps: Pipeline, clock: Clock): (received: Request, target?: Target) => Promise<Response> {
  let arrived: Arrival[] = []

  function answerArrived(): void {
    const batch = arrived
    arrived = []
    const exchanges = batch.map((arrival) => attempt(arrival, () => judged(arrival)))
    const answered: Exchange[] = []
    batch.forEach((arrival, at) => {
      const exchange = exchanges[at]
      if (exchange) attempt(arrival, () => arrival.resolve(answer(exchange, answered)))
    })
    const now = clock.monotonic()
    for (const exchange of answered) steps.report(exchange, now)
  }

  function judged({ received, started, target }: Arrival): Exchange {
    const exchange = steps.open(received, started, target)
    steps.judge(exchange)
    return exchange
  }

  /**
   * Answers one request of a batch.
   * @param answered receives the exchange when its answer is ready at once, to be reported with the batch. An answer
   * that is ready later is reported on its own.
   */
  function answer(exchange: Exchange, answered: Exchange[]): Response | Promise<Response> {
    const response = steps.answer(exchange)
    if (response instanceof Promise)
      return response.then((late) => {
        steps.report(exchange, clock.monotonic())
        return late
      })
    answered.push(exchange)
    return response
  }

  return (received, target) =>
    new Promise((resolve, reject) => {
      if (arrived.length === 0) nextTurn().then(answerArrived)
      arrived.push({ received, target, started: clock.monotonic(), resolve, reject })
    })
}

/**
 * Runs a step of one request. An error rejects only the answer of this request, so the other requests of the batch are
 * answered.
 */
function attempt<T>({ reject }: Arrival, step: () => T): T | undefined {
  try {
    return step()
  } catch (error) {
    reject(error)
  }
}
