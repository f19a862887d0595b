import { join } from 'node:path'
import { startBinary } from './binary.ts'
import { closeScratch, scratchFolder } from './scratch.ts'

/*
 * `src/main.order` lists the functions that the start of a server uses. The compiler puts the bytecode of these
 * functions together at the front of the executable (`--bytecode-order`), so that an idle server has fewer pages of the
 * executable in memory: 62 MiB and not 66. A function that the list does not know only lies at another place, so the
 * list need not be written after each change: `bun test/support/start-order.ts` does it.
 */
export const orderFile = join(import.meta.dir, '..', '..', 'src', 'main.order')

/** Starts the executable and returns the hashes of the functions that it used, in the order of their first use. */
export async function recordOrder(): Promise<string[]> {
  const recorded = join(scratchFolder('order'), 'order')
  const server = await startBinary({
    args: [],
    env: { BCRYPT_COST: '10', BUN_BYTECODE_ORDER_OUT: recorded, SHUTDOWN_DELAY_SECONDS: '0' },
  })
  server.signal('SIGTERM')
  await server.exited
  return functionsIn(await Bun.file(recorded).text())
}

export const readOrder = async (): Promise<string[]> => functionsIn(await Bun.file(orderFile).text())

/** The other lines of a recording name strings and constants. They make it twenty times as long, and save nothing. */
const functionsIn = (order: string): string[] => [...order.matchAll(/^F (\w+)$/gm)].map(([, hash]) => hash!)

if (import.meta.main) {
  await Bun.write(orderFile, ['v2', ...(await recordOrder()).map((hash) => `F ${hash}`), ''].join('\n'))
  await closeScratch()
}
