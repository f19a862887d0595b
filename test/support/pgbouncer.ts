import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningProxy, startProxy } from './proxy.ts'
import { scratchFolder } from './scratch.ts'

/**
 * Runs Debian's PgBouncer with `pool_mode = transaction`, unless `settings` say otherwise, in front of a test database.
 * @param settings lines of `[pgbouncer]`
 * @returns the proxy, and the URL of the database behind it
 */
export async function startPgBouncer(
  databaseUrl: string,
  settings: string[] = [],
): Promise<RunningProxy & { databaseUrl: string }> {
  const { username, password, port: server, pathname } = new URL(databaseUrl)
  const proxy = await startProxy(async (port) => {
    const folder = scratchFolder('pgbouncer')
    const ini = join(folder, 'pgbouncer.ini')
    const users = join(folder, 'users.txt')
    writeFileSync(users, `"${username}" "${password}"\n`)
    writeFileSync(
      ini,
      [
        '[databases]',
        `* = host=127.0.0.1 port=${server}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = plain',
        `auth_file = ${users}`,
        'pool_mode = transaction',
        ...settings,
        '',
      ].join('\n'),
    )
    // PgBouncer refuses to run as root.
    chmodSync(folder, 0o755)
    for (const file of [ini, users]) chmodSync(file, 0o644)
    return { args: ['pgbouncer', ini], ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}) }
  })
  return { ...proxy, databaseUrl: databaseUrl.replace(`:${server}${pathname}`, `:${proxy.port}${pathname}`) }
}
