export interface Network {
  /** Clients connect here, on 127.0.0.1. */
  port: number
  /** How many connections were opened so far. */
  opened(): number
  /** The current connections drop all data from now on, without closing. */
  silence(): void
  /** New connections lead to another port. The current connections stay where they are. */
  turnTo(port: number): void
  close(): void
}

interface Pair {
  far: Promise<Bun.Socket<undefined>>
}

/** A TCP proxy to a server on 127.0.0.1, such as a load balancer in front of a database. */
export function openNetwork(server: number): Network {
  let target = server
  let opened = 0
  let silent = new WeakSet<object>()
  const open = new Set<Pair>()
  const listener = Bun.listen<Pair>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(near) {
        opened++
        const pair: Pair = {
          far: Bun.connect({
            hostname: '127.0.0.1',
            port: target,
            socket: {
              data: (_, bytes) => void (silent.has(pair) || near.write(bytes)),
              close: () => void (silent.has(pair) || near.end()),
            },
          }),
        }
        near.data = pair
        open.add(pair)
      },
      data(near, bytes) {
        const copy = Uint8Array.from(bytes)
        if (!silent.has(near.data)) near.data.far.then((far) => far.write(copy))
      },
      close: (near) => void near.data.far.then((far) => far.end()),
    },
  })
  return {
    port: listener.port,
    opened: () => opened,
    silence() {
      silent = new WeakSet(open)
    },
    turnTo(port) {
      target = port
    },
    close: () => listener.stop(true),
  }
}
