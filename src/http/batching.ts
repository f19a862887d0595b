import { type Clock, nextTurn } from '../lib/clock.ts'
import type { Exchange } from './exchange.ts'
import type { Pipeline } from './pipeline.ts'
import type { Target } from './target.ts'

/** A request that waits until its batch is answered. */
interface Arrival {
  received: Request
  target: Target | undefined
  started: number
  resolve: (response: Response | Promise<Response>) => void
  reject: (error: unknown) => void
}

/**
 * Takes requests through the steps of a pipeline in batches. This only saves time: `oneByOne` gives the same answers.
 *
 * The requests that arrive in one turn of the event loop make a batch. First all credentials are checked, then all
 * requests are answered, then all answers are reported. The code and data of one step stay in the processor's caches,
 * and the answers leave in one burst, so the kernel wakes their reader once. This saves a fifth of a cheap request's
 * CPU time.
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
   * @param answered receives the exchange when its answer is ready at once. A later answer is reported when it is
   * ready.
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

/** Runs a step of one request. An error of the step rejects this request only, so the rest of the batch goes on. */
function attempt<T>({ reject }: Arrival, step: () => T): T | undefined {
  try {
    return step()
  } catch (error) {
    reject(error)
  }
}
