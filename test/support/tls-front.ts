import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { scratchFolder } from './scratch.ts'

/** A self-signed pair for `localhost` and the loopback addresses, made when a test asks for it. */
export interface Certificate {
  /** The files, in PEM. The certificate is its own authority. */
  certFile: string
  keyFile: string
  cert: string
  key: string
}

let made: Promise<Certificate> | undefined

/** The pair of this test process. */
export function certificate(): Promise<Certificate> {
  made ??= makeCertificate()
  return made
}

async function makeCertificate(): Promise<Certificate> {
  const folder = scratchFolder('certificate')
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  const child = Bun.spawn(
    [
      ...'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=localhost'.split(' '),
      ...['-addext', names, '-keyout', keyFile, '-out', certFile],
    ],
    { stdout: 'ignore', stderr: 'pipe' },
  )
  if ((await child.exited) !== 0) throw new Error(await child.stderr.text())
  return { certFile, keyFile, cert: await Bun.file(certFile).text(), key: await Bun.file(keyFile).text() }
}

export interface TlsFront {
  port: number
  stop(): Promise<void>
}

/** Ends TLS in front of a server of this machine, and changes nothing else. @param target the server's port, later too */
export async function startTlsFront(target: () => number): Promise<TlsFront> {
  const { cert, key } = await certificate()
  const open = new Set<TLSSocket | Socket>()
  const keep = (socket: TLSSocket | Socket) => {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => open.delete(socket))
  }
  const server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (outside) => {
    const inside = connect(target(), '127.0.0.1')
    for (const socket of [outside, inside]) keep(socket)
    outside.on('close', () => inside.destroy())
    inside.on('close', () => outside.destroy())
    outside.pipe(inside).pipe(outside)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the front has no port')
  return {
    port: address.port,
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
