import { chownSync, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { scratchFolder } from './scratch.ts'

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
  own?: number,
): Promise<RunningProxy> {
  const port = own ?? (await freePort())
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

/** Nothing that a proxy of a test does needs root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined

/** Runs nginx as an unprivileged user, with its own folder for all files. @param locations the body of its one server */
export const startNginx = (locations: string): Promise<RunningProxy> =>
  startProxy(async (port) => {
    const folder = scratchFolder('nginx')
    const kept = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    const config = join(folder, 'nginx.conf')
    await Bun.write(
      config,
      `daemon off;
      master_process off;
      pid ${join(folder, 'nginx.pid')};
      error_log stderr error;
      events {}
      http {
        access_log off;
        ${kept.map((name) => `${name}_temp_path ${join(folder, 'temp', name)};`).join('\n')}
        server {
          listen 127.0.0.1:${port};
          ${locations}
        }
      }`,
    )
    for (const name of ['temp', 'logs']) mkdirSync(join(folder, name))
    if (nobody) for (const name of ['', 'temp', 'logs']) chownSync(join(folder, name), nobody.uid, nobody.gid)
    return { ...nobody, args: ['nginx', '-e', 'stderr', '-p', folder, '-c', config] }
  })

export const apacheModules = '/usr/lib/apache2/modules'

/**
 * Runs Debian's Apache as an unprivileged user, with its own folder for all files.
 * @param modules loaded beside those that every server needs
 * @param own its port, if something has to know it before; else a free one
 */
export async function startApache(
  modules: readonly string[],
  directives: string,
  own?: number,
): Promise<RunningProxy & { log(): Promise<string> }> {
  const folder = scratchFolder('apache')
  const log = join(folder, 'errors')
  const apache = await startProxy(async (port) => {
    const config = join(folder, 'httpd.conf')
    const loaded = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', ...modules]
    await Bun.write(
      config,
      `ServerRoot ${folder}
      ServerName localhost
      Listen 127.0.0.1:${port}
      PidFile ${join(folder, 'pid')}
      ErrorLog ${log}
      StartServers 1
      ${loaded.map((name) => `LoadModule ${name}_module ${apacheModules}/mod_${name}.so`).join('\n')}
      ${directives}`,
    )
    if (nobody) chownSync(folder, nobody.uid, nobody.gid)
    return { ...nobody, args: ['apache2', '-f', config, '-DFOREGROUND'], env: { TMPDIR: folder } }
  }, own)
  return { ...apache, log: () => Bun.file(log).text() }
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
