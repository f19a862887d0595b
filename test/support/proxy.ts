import { connect } from 'node:net'

export interface RunningProxy {
  /** `http://127.0.0.1:<port>`. */
  url: string
  port: number
  stop(): Promise<void>
}

/**
 * Runs a proxy in the foreground and waits until it accepts connections.
 * @param command makes the command line for a port; what it needs on disk is written before
 */
export async function startProxy(
  command: (port: number) => Promise<{ args: string[]; env?: Record<string, string>; uid?: number; gid?: number }>,
): Promise<RunningProxy> {
  const port = await freePort()
  const { args, env = {}, ...user } = await command(port)
  const proxy = Bun.spawn(args, {
    ...user,
    env: { PATH: `${process.env.PATH}:/usr/sbin`, ...env },
    stdout: 'ignore',
    stderr: 'pipe',
  })
  while (!(await accepts(port))) {
    if (proxy.exitCode !== null) throw new Error(await proxy.stderr.text())
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      proxy.kill()
      await proxy.exited
    },
  }
}

export async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const port = server.port!
  await server.stop(true)
  return port
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
