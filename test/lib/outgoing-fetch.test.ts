import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { mayReach } from '../../src/lib/outgoing-address.ts'
import { createOutgoing, OutgoingError } from '../../src/lib/outgoing-fetch.ts'
import { scratchFolder } from '../support/scratch.ts'

describe('an address of a request that others chose', () => {
  test.each([
    ...['93.184.216.34', '1.1.1.1', '2606:4700::1111', '2a00:1450:4001:82b::200e'],
    // IPv4 behind NAT64.
    '64:ff9b::5db8:d822',
    '::ffff:93.184.216.34',
  ])('Q1: %s of the Internet is reached', (address) => {
    expect([mayReach(address, 'public'), mayReach(address, 'private')]).toEqual([true, true])
  })

  test.each([
    ...['127.0.0.1', '127.9.9.9', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1'],
    ...['::1', 'fc00::1', 'fdff::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:a00:1', '64:ff9b::7f00:1'],
  ])('Q1: %s of this machine or a private network needs OUTGOING_ADDRESSES=private', (address) => {
    expect([mayReach(address, 'public'), mayReach(address, 'private')]).toEqual([false, true])
  })

  test.each([
    // Link-local, and the metadata services of clouds.
    ...['169.254.169.254', '169.254.0.1', 'fe80::1', 'febf::1', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe'],
    ...['64:ff9b::a9fe:a9fe', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd00:0ec2::0:254', '192.0.0.192'],
    // No server has these, or another address is hidden in them.
    ...['0.0.0.0', '0.1.2.3', '::', '224.0.0.1', '255.255.255.255', '240.0.0.1', '198.18.0.1', '192.0.2.1'],
    ...['ff02::1', 'fec0::1', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2001::1', '2001:db8::1', '::127.0.0.1'],
    ...['::ffff:0:127.0.0.1', '64:ff9b:1::7f00:1', '4000::1', '100::1'],
    // Not the spelling of an address.
    ...['', 'localhost', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', 'fe80::1%eth0', '[::1]', '1.1.1.1 '],
  ])('Q1: %s is never reached', (address) => {
    expect([mayReach(address, 'public'), mayReach(address, 'private')]).toEqual([false, false])
  })
})

describe('a request to an address that others chose', () => {
  const heard: string[] = []
  const folder = scratchFolder('outgoing')
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  let web: Bun.Server<undefined>
  let tls: Bun.Server<undefined>
  let raw: Server
  const sockets = new Set<Socket>()

  beforeAll(async () => {
    const made = Bun.spawnSync(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${key} -out ${cert} -days 30 -subj /CN=good.test -addext subjectAltName=DNS:good.test`.split(
        ' ',
      ),
    )
    expect(made.exitCode).toBe(0)
    const answer = async (request: Request) => {
      const { pathname } = new URL(request.url)
      heard.push(`${request.method} ${request.headers.get('host')} ${pathname}`)
      if (pathname === '/bomb')
        return new Response(gzipSync(new Uint8Array(50_000_000)), { headers: { 'content-encoding': 'gzip' } })
      if (pathname === '/away') return Response.redirect('http://169.254.169.254/latest/meta-data', 302)
      if (pathname === '/huge') return new Response(new Uint8Array(1_000_001))
      if (pathname === '/full') return new Response(new Uint8Array(1_000_000))
      if (pathname === '/echo') return Response.json([...request.headers, ['body', await request.text()]])
      return new Response('here', { status: 418, headers: { 'x-here': 'yes' } })
    }
    web = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer })
    const pair = { key: Bun.file(key), cert: Bun.file(cert) }
    tls = Bun.serve({ port: 0, hostname: '127.0.0.1', tls: pair, fetch: answer })
    // Answers with what the path says: /silent with nothing, /drip for ever, the others with bytes that are no answer.
    raw = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', (bytes) => {
        const path = String(bytes).split(' ')[1]
        if (path === '/drip') socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
        if (path === '/endless') {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
          const more = () => socket.destroyed || socket.write(`10000\r\n${'a'.repeat(65_536)}\r\n`, more)
          more()
        }
        if (path === '/cut') socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
        if (path === '/ssh') socket.end('SSH-2.0-OpenSSH_9.2\r\n')
        if (path === '/headers') socket.write(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(100_000)}\r\n`)
      })
    })
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', () => resolve()))
  })
  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    raw.close()
    await Promise.all([web.stop(true), tls.stop(true)])
  })

  const names: Record<string, string[]> = {
    'good.test': ['127.0.0.1'],
    'bad.test': ['127.0.0.1'],
    'second.test': ['127.0.0.2', '127.0.0.1'],
    'meta.test': ['169.254.169.254'],
    'mixed.test': ['93.184.216.34', '127.0.0.1'],
    'mapped.test': ['::ffff:127.0.0.1'],
    'none.test': [],
  }
  const asked: string[] = []
  const lookup = async (host: string) => {
    asked.push(host)
    return (names[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
  const inside = async () => createOutgoing({ addresses: 'private', lookup, ca: await Bun.file(cert).text() })
  const outside = createOutgoing({ addresses: 'public', lookup })
  const fault = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => 'answered',
      (reason) => reason,
    )
    return error instanceof OutgoingError ? error.fault : error
  }
  const portOf = (server: Server) => (server.address() as { port: number }).port

  test('Q1: goes to the address that was looked up, once, with the name in Host and in the certificate', async () => {
    const { fetch } = await inside()
    asked.length = 0
    heard.length = 0
    const plain = await fetch(`http://good.test:${web.port}/a`)
    expect([plain.status, plain.headers.get('x-here'), new TextDecoder().decode(plain.body)]).toEqual([
      418,
      'yes',
      'here',
    ])
    const secure = await fetch(`https://good.test:${tls.port}/b`)
    expect(secure.status).toBe(418)
    // A second address is tried when the first does not answer.
    expect((await fetch(`http://second.test:${web.port}/c`)).status).toBe(418)
    expect(asked).toEqual(['good.test', 'good.test', 'second.test'])
    expect(heard).toEqual([
      `GET good.test:${web.port} /a`,
      `GET good.test:${tls.port} /b`,
      `GET second.test:${web.port} /c`,
    ])
    expect(await fault(fetch(`https://bad.test:${tls.port}/`))).toBe('certificate_refused')
    const unknown = createOutgoing({ addresses: 'private', lookup })
    expect(await fault(unknown.fetch(`https://good.test:${tls.port}/`))).toBe('certificate_refused')
  })

  test('sends a body with its length and the headers given, and asks for no compression', async () => {
    const { fetch } = await inside()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic abc' }
    const { body } = await fetch(`http://good.test:${web.port}/echo`, { method: 'POST', headers, body: 'ä=1' })
    const sent = Object.fromEntries(JSON.parse(new TextDecoder().decode(body)))
    expect(sent).toMatchObject({ ...headers, 'accept-encoding': 'identity', 'content-length': '4', body: 'ä=1' })
  })

  test.each([
    ...['http://127.0.0.1', 'https://127.0.0.1', 'https://[::1]', 'https://0.0.0.0', 'https://10.0.0.1'],
    ...['https://169.254.169.254', 'https://[::ffff:169.254.169.254]', 'https://[fc00::1]', 'https://2130706433'],
    ...['https://0x7f.1', 'https://0177.1', 'https://127.1', 'https://①②⑦.0.0.1', 'https://good.test'],
    ...[
      'https://mixed.test',
      'https://mapped.test',
      'https://meta.test',
      'https://none.test',
      'https://[64:ff9b::7f00:1]',
    ],
    ...[
      'https://user@good.test',
      'ftp://good.test',
      'file:///etc/passwd',
      'data:text/plain,a',
      'https://',
      'good.test',
    ],
  ])('Q1: to %s is refused, and nothing listens to it', async (base) => {
    heard.length = 0
    const port = base.startsWith('https') ? tls.port : web.port
    const refused = ['address_refused', 'url_refused', 'host_unknown']
    const ported = /^https?:\/\/./.test(base) ? `${base}:${port}/` : base
    expect(refused).toContain(await fault(outside.fetch(ported)))
    expect(heard).toEqual([])
  })

  test('Q1: to metadata services is refused with OUTGOING_ADDRESSES=private, too', async () => {
    const { fetch } = await inside()
    for (const host of ['169.254.169.254', '[::ffff:a9fe:a9fe]', '0.0.0.0', 'meta.test', '[fe80::1]'])
      expect(await fault(fetch(`http://${host}:${web.port}/`))).toBe('address_refused')
    for (const url of [
      `http://user@good.test:${web.port}/`,
      `http://:pw@good.test:${web.port}/`,
      `ftp://good.test:${web.port}/`,
    ])
      expect(await fault(fetch(url))).toBe('url_refused')
  })

  test('Q2: does not follow a redirect', async () => {
    const { fetch } = await inside()
    const { status, headers } = await fetch(`http://good.test:${web.port}/away`)
    expect([status, headers.get('location')]).toEqual([302, 'http://169.254.169.254/latest/meta-data'])
  })

  test('Q3: refuses a response that is compressed, too long, cut off, or no HTTP', async () => {
    const { fetch } = await inside()
    const at = (path: string, request = {}) => fault(fetch(`http://good.test:${portOf(raw)}${path}`, request))
    expect(await fault(fetch(`http://good.test:${web.port}/bomb`))).toBe('compressed')
    expect(await fault(fetch(`http://good.test:${web.port}/huge`))).toBe('too_large')
    expect((await fetch(`http://good.test:${web.port}/full`)).body.length).toBe(1_000_000)
    expect(await fault(fetch(`http://good.test:${web.port}/a`, { maxBytes: 3 }))).toBe('too_large')
    expect(await at('/endless')).toBe('too_large')
    expect([await at('/ssh'), await at('/headers'), await at('/cut')]).toEqual([
      'malformed',
      'malformed',
      'unreachable',
    ])
    expect(await fault(fetch('http://good.test:1/'))).toBe('unreachable')
  })

  test('Q3: ends after its time, at every step, and closes the connection', async () => {
    const { fetch } = await inside()
    for (const path of ['/silent', '/drip'])
      expect(await fault(fetch(`http://good.test:${portOf(raw)}${path}`, { timeoutMs: 50 }))).toBe('timeout')
    const hangs = createOutgoing({ addresses: 'private', lookup: () => new Promise(() => {}) })
    expect(await fault(hangs.fetch('http://good.test/', { timeoutMs: 50 }))).toBe('timeout')
    const open = () => [...sockets].filter(({ destroyed }) => !destroyed)
    await Promise.all(open().map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    expect(open()).toEqual([])
  })
})
