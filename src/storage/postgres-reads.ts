import type { SQL } from 'bun'
import { KeywardError } from '../errors.ts'
import { nextTurn } from '../lib/clock.ts'
import { replaceParameters } from './postgres-parameters.ts'

/** How many reads share a round trip at most. A larger batch is split, so that several server processes work on it. */
const BATCH = 32

type Query = (text: string, params: unknown[]) => Promise<unknown[][]>

interface Read {
  params: unknown[]
  resolve: (rows: unknown[][] | Promise<unknown[][]>) => void
  reject: (error: unknown) => void
}

/**
 * Batches reads for PostgreSQL: reads of one turn of the event loop that differ only in their parameters share a round trip.
 * Waking a server process and receiving its answer costs several times what the read itself does. A batch is sent after
 * the last read of the turn arrived, so each read sees what was committed before it.
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
      // A read with wrong parameters must not fail the others.
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
 * Runs the SELECT `text` once for each read. The parameters come as one array per place, and each found row ends with the
 * number of its read. OFFSET keeps the planner from turning the statement into a join, so each read is looked up as it would
 * be alone, whatever the size of the tables. Subselects hide the length of the arrays, else each length had a plan of its own.
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

/** PostgreSQL's type for a parameter; `columns.ts` has these kinds of columns and no others. */
const typeOf = (param: unknown): 'BIGINT' | 'BOOLEAN' | 'TEXT' =>
  typeof param === 'number' ? 'BIGINT' : typeof param === 'boolean' ? 'BOOLEAN' : 'TEXT'
