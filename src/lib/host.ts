import { lookup } from 'node:dns/promises'

/** Thrown when a host name cannot be resolved. The message contains the name and the code of the failed lookup. */
export class UnknownHostError extends Error {
  override readonly name = 'UnknownHostError'
}

/**
 * Throws the error of a failed PostgreSQL connection, or a more exact error. Bun's driver reports a host name that does
 * not exist as a failed connection, so this function looks the name up.
 * @param host undefined for a Unix socket
 * @throws UnknownHostError when `error` is a failed connection and the lookup of the host fails; otherwise `error`
 */
export async function throwWithHost(error: unknown, host: string | undefined): Promise<never> {
  const { code } = error as { code?: unknown }
  if (host !== undefined && /^ERR_POSTGRES_CONNECTION_(REFUSED|CLOSED|FAILED)/.test(String(code)))
    await lookup(host).catch(({ code }) => {
      throw new UnknownHostError(`The host ${JSON.stringify(host)} has no address (${code}); is its name right?`)
    })
  throw error
}
