import { lookup } from 'node:dns/promises'

/** The hosts of an address have none that can be connected to. `message` names a host. */
export class UnknownHostError extends Error {
  override readonly name = 'UnknownHostError'
}

/**
 * Looks up host names. A driver may report a name that does not exist as a refused connection.
 * @throws UnknownHostError when a host has no address
 */
export async function requireHosts(hosts: readonly string[]): Promise<void> {
  for (const host of hosts)
    await lookup(host).catch((error) => {
      throw new UnknownHostError(`The host ${JSON.stringify(host)} has no address (${error.code}); is its name right?`)
    })
}
