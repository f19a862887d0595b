import { lookup } from 'node:dns/promises'

/** A host name has no IP address. `message` contains the name and the code of the failed lookup. */
export class UnknownHostError extends Error {
  override readonly name = 'UnknownHostError'
}

/**
 * Throws the error of a failed connection again. Bun's PostgreSQL driver reports a name that does not exist as a refused
 * connection, so the name is looked up again.
 * @param host undefined for a Unix socket
 * @throws UnknownHostError when the host has no address, otherwise `error`
 */
export async function throwWithHost(error: unknown, host: string | undefined): Promise<never> {
  const { code } = error as { code?: unknown }
  if (host !== undefined && /^ERR_POSTGRES_CONNECTION_(REFUSED|CLOSED|FAILED)/.test(String(code)))
    await lookup(host).catch(({ code }) => {
      throw new UnknownHostError(`The host ${JSON.stringify(host)} has no address (${code}); is its name right?`)
    })
  throw error
}
