import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { openUrl, openWithThing, refusalOf } from '../storage/support.ts'
import { createTestApp } from '../support/app.ts'
import { openNetwork } from '../support/network.ts'
import { createDatabase } from '../support/postgres.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startProxy } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { serve } from '../support/socket.ts'

setDefaultTimeout(60_000)

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const blocks = blocksOf(await readChapter('running')).filter(({ language }) => language === 'haproxy')

/** Runs the configuration of the guide that has `part`, with other addresses. Each of them must be in it. */
async function haproxy(part: string, addresses: (port: number) => Record<string, string>): Promise<RunningProxy> {
  const proxy = await startProxy(async (port) => {
    let { text } = blocks.find((block) => block.text.includes(part))!
    for (const [from, to] of Object.entries(addresses(port))) {
      expect(text).toContain(from)
      text = text.replace(from, to)
    }
    const config = join(scratchFolder('haproxy'), 'haproxy.cfg')
    await Bun.write(
      config,
      `defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n${text}\n`,
    )
    return { args: ['haproxy', '-db', '-f', config] }
  })
  ends.push(() => proxy.stop())
  return proxy
}

/** Asks until the condition holds, and lets the timeout of a test end the wait. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}

describe.if(hasPrograms('haproxy'))('the HAProxy configuration of the guide', () => {
  test('12.C4 sends requests only to a Keyward that is ready', async () => {
    const [ready, stopping] = [await createTestApp(), await createTestApp()]
    stopping!.process.beginDraining()
    for (const app of [ready, stopping]) ends.push(() => app.close())
    const [one, two] = [ready, stopping].map((app) => serve(app))
    ends.push(
      () => one!.stop(),
      () => two!.stop(),
    )
    const { url } = await haproxy('backend keyward', (port) => ({
      ':443 ssl crt /etc/haproxy/auth.example.com.pem': `127.0.0.1:${port}`,
      '10.0.0.11:8000 check': `${new URL(one!.url).host} check inter 100ms`,
      '10.0.0.12:8000 check': `${new URL(two!.url).host} check inter 100ms`,
    }))
    const isReady = async () => (await fetch(`${url}/readyz`)).status === 200
    // Each server counts as up until its first checks.
    await until(async () => (await isReady()) && (await isReady()) && (await isReady()))
    for (let round = 0; round < 6; round++) expect(await isReady()).toBe(true)
  })

  test('12.C4 leads Keyward to the primary, also after a failover', async () => {
    const database = new URL((await createDatabase()).url)
    const networks = [openNetwork(Number(database.port)), openNetwork(Number(database.port))]
    let primary = 0
    const checks = networks.map((_, index) =>
      Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch: ({ url }) => new Response(null, { status: url.endsWith('/primary') && index === primary ? 200 : 503 }),
      }),
    )
    ends.push(...networks.map((network) => () => network.close()), ...checks.map((check) => () => check.stop(true)))
    const proxy = await haproxy('listen postgresql', (port) => ({
      '127.0.0.1:5432': `127.0.0.1:${port}`,
      '10.0.0.21:5432 check port 8008': `127.0.0.1:${networks[0]!.port} check port ${checks[0]!.port}`,
      '10.0.0.22:5432 check port 8008': `127.0.0.1:${networks[1]!.port} check port ${checks[1]!.port}`,
    }))
    const url = database.href.replace(`:${database.port}/`, `:${proxy.port}/`)
    const connect = async () => {
      const storage = await openUrl(url)
      await refusalOf(storage.rows('SELECT 1'))
      await storage.close()
    }
    // HAProxy uses both servers in turn until the second one failed two checks.
    await until(async () => {
      const before = networks[1]!.opened()
      for (let connection = 0; connection < 3; connection++) await connect()
      return networks[1]!.opened() === before
    })
    const storage = await openWithThing(url)
    ends.push(() => storage.close())
    const before = networks[1]!.opened()
    primary = 1
    await until(async () => {
      await refusalOf(storage.rows('DELETE FROM thing'))
      return networks[1]!.opened() > before
    })
    expect(await refusalOf(storage.rows('DELETE FROM thing'))).toBe('resolved')
  })
})
