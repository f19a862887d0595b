import type { SQL } from 'bun'
import { KeywardError } from '../errors.ts'
import { nextTurn } from '../lib/clock.ts'
import { replaceParameters } from './postgres-parameters.ts'

/** The most reads in one round trip. More reads use several round trips, on which the server works in parallel. */
const BATCH = 32

type Query = (text: string, params: unknown[]) => Promise<unknown[][]>

interface Read {
  params: unknown[]
  resolve: (rows: unknown[][] | Promise<unknown[][]>) => void
  reject: (error: unknown) => void
}

/**
 * Batches reads for PostgreSQL. Reads that are requested in one turn of the event loop, and that differ only in their
 * parameters, share a round trip. A round trip costs several times as much as a read itself.
 * A batch is sent only after its reads were requested. Thus each read sees every commit from before its request.
 */
export function createReads(query: Query, array: SQL['array']): Query {
  let waiting = new Map<string, Read[]>()

  function sendAll(): void {
    const all = waiting
    waiting = new Map()
    for (const [text, reads] of all)
      for (let at = 0; at < reads.length; at += BATCH) {
        const some = reads.slice(at, at + BATCH)
        if (some.length === 1) sendAlone(text, some[0]!)
        else sendTogether(text, some)
      }
  }

  function sendAlone(text: string, { params, resolve }: Read): void {
    resolve(query(text, params))
  }

  async function sendTogether(text: string, reads: Read[]): Promise<void> {
    try {
      const { params } = reads[0]!
      const columns = params.map((param, place) => {
        const values = reads.map((read) => read.params[place])
        return array(values, typeOf(param))
      })
      share(await query(forEach(text, params), columns), reads)
    } catch (error) {
      // A single read with wrong parameters fails the whole batch. After such an error each read is sent alone, so that
      // only the wrong read fails. A refusal (the server is unavailable or busy) rejects every read of the batch.
      for (const read of reads)
        if (error instanceof KeywardError) read.reject(error)
        else sendAlone(text, read)
    }
  }

  return (text, params) =>
    new Promise((resolve, reject) => {
      if (waiting.size === 0) nextTurn().then(sendAll)
      const read = { params, resolve, reject }
      const alike = waiting.get(text)
      if (alike) alike.push(read)
      else waiting.set(text, [read])
    })
}

/**
 * Returns SQL that runs the SELECT `text` once for each read of a batch. Parameter `$1` is an array with the first
 * parameter of every read, `$2` an array with the second, and so on. The last column is the number of the read, from 1.
 *
 * OFFSET prevents the planner from turning the SQL into a join. Thus each read has the same plan as a read that is sent
 * alone. The subselects hide the lengths of the arrays from the planner, which would otherwise plan for each length.
 */
function forEach(text: string, params: unknown[]): string {
  const arrays = params.map((param, place) => `(select cast($${place + 1} as ${typeOf(param)}[]))`)
  const names = params.map((_, place) => `p${place + 1}`)
  return `select found.*, asked.number from unnest(${arrays}) with ordinality as asked(${names}, number)
    cross join lateral (${replaceParameters(text, (number) => `asked.p${number}`)} offset 0) as found`
}

function share(rows: unknown[][], reads: Read[]): void {
  const found: unknown[][][] = reads.map(() => [])
  for (const row of rows) found[Number(row.pop()) - 1]!.push(row)
  for (const [index, { resolve }] of reads.entries()) resolve(found[index]!)
}

/** Returns the PostgreSQL type for a parameter. `columns.postgresql.ts` declares no columns of other types. */
const typeOf = (param: unknown): 'BIGINT' | 'BOOLEAN' | 'TEXT' =>
  typeof param === 'number' ? 'BIGINT' : typeof param === 'boolean' ? 'BOOLEAN' : 'TEXT'
