import { lookup } from 'node:dns/promises'

/** A host name has no IP address. `message` contains the name and the code of the failed lookup. */
export class UnknownHostError extends Error {
  override readonly name = 'UnknownHostError'
}

/**
 * Looks up host names. Call this function after a refused connection: a driver may report a host name that does not
 * exist as one.
 * @throws UnknownHostError when a host has no address
 */
export async function requireHosts(hosts: readonly string[]): Promise<void> {
  for (const host of hosts)
    await lookup(host).catch((error) => {
      throw new UnknownHostError(`The host ${JSON.stringify(host)} has no address (${error.code}); is its name right?`)
    })
}
