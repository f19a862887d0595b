import type { SQL } from 'bun'
import { KeywardError } from '../errors.ts'
import { nextTurn } from '../lib/clock.ts'

/** How many reads share a round trip at most: more than that keep a second server process busy. */
const BATCH = 32

type Query = (text: string, params: unknown[]) => Promise<unknown[][]>

interface Read {
  params: unknown[]
  resolve: (rows: unknown[][] | Promise<unknown[][]>) => void
  reject: (error: unknown) => void
}

/**
 * Reads through PostgreSQL's connections. Those of one turn of the event loop that differ in their parameters alone go
 * there and back together: to wake a server process and to take its answer costs several times what the read itself does.
 * They are sent after the last of them came, so each sees what was committed before it.
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
      // What is wrong with the parameters of one must not fail the others.
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
 * A SELECT for each row of its parameters, which come as arrays, with the row's number behind what it finds. A statement with
 * OFFSET the planner does not turn into a join: it looks up each row as it would that row alone, whatever the size of the
 * tables. The arrays come out of selects so that it does not see their length, for which it would plan anew every time.
 */
function forEach(text: string, params: unknown[]): string {
  const arrays = params.map((param, place) => `(select cast($${place + 1} as ${typeOf(param)}[]))`)
  const names = params.map((_, place) => `p${place + 1}`)
  return `select found.*, asked.number from unnest(${arrays}) with ordinality as asked(${names}, number)
    cross join lateral (${text.replaceAll(/\$(\d+)/g, 'asked.p$1')} offset 0) as found`
}

function share(rows: unknown[][], reads: Read[]): void {
  const found: unknown[][][] = reads.map(() => [])
  for (const row of rows) found[Number(row.pop()) - 1]!.push(row)
  for (const [index, { resolve }] of reads.entries()) resolve(found[index]!)
}

/** The kinds of columns there are, see `columns.ts`. */
const typeOf = (param: unknown): 'BIGINT' | 'BOOLEAN' | 'TEXT' =>
  typeof param === 'number' ? 'BIGINT' : typeof param === 'boolean' ? 'BOOLEAN' : 'TEXT'
