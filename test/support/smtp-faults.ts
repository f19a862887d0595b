import { createServer, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

/** The stages of a mail, in order: what the server has just read when it may fail. `dot` is the end of the mail. */
export const faultStages = [
  'greeting',
  'ehlo',
  'starttls',
  'ehlo in tls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'dot',
] as const
export type FaultStage = (typeof faultStages)[number]

/**
 * What the server does instead of its reply: ends the connection, says nothing more, replies with this code, or replies
 * in single bytes.
 */
export type Fault = 'drop' | 'silence' | 'dribble' | number

export interface FaultySmtp {
  port: number
  /** The mails that were accepted, as they came. */
  accepted: string[]
  /** Connections so far. */
  connections(): number
  /** Resolves when a client has reached a stage whose fault is `silence`. */
  silent(): Promise<void>
  close(): Promise<void>
}

/** A small SMTP server on loopback, with STARTTLS and AUTH, that fails at any stage. */
export async function startFaultySmtp(
  tls: { key: Buffer; cert: Buffer },
  faultAt: (stage: FaultStage) => Fault | undefined,
): Promise<FaultySmtp> {
  const accepted: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  let silence = Promise.withResolvers<void>()

  async function answer(socket: Socket, stage: FaultStage, reply: string): Promise<boolean> {
    const fault = faultAt(stage)
    if (fault === 'drop') socket.destroy()
    else if (fault === 'silence') {
      silence.resolve()
      silence = Promise.withResolvers<void>()
    } else if (fault === 'dribble')
      for (const byte of reply) {
        socket.write(byte)
        await new Promise((resolve) => setImmediate(resolve))
      }
    else if (fault === undefined) socket.write(reply)
    else socket.write(`${fault} no\r\n`)
    return fault === undefined || fault === 'dribble'
  }

  function serve(socket: Socket, isSecure: boolean): void {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    let rest = ''
    let message: string[] | undefined
    let work = Promise.resolve()
    const onData = (chunk: Buffer) => {
      rest += chunk.toString('latin1')
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 2)
        work = work.then(() => read(line))
      }
    }
    async function read(line: string): Promise<void> {
      if (message && line !== '.') {
        message.push(line.replace(/^\./, ''))
        return
      }
      if (message) {
        const mail = message.join('\r\n')
        message = undefined
        // With `drop` and `silence` the server has taken the mail, and its reply is lost.
        if (typeof faultAt('dot') !== 'number') accepted.push(mail)
        await answer(socket, 'dot', '250 taken\r\n')
        return
      }
      const verb = line.split(' ')[0]!.toUpperCase()
      if (verb === 'EHLO')
        await (isSecure
          ? answer(socket, 'ehlo in tls', '250-faulty\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n')
          : answer(socket, 'ehlo', '250-faulty\r\n250 STARTTLS\r\n'))
      else if (verb === 'STARTTLS') {
        if (!(await answer(socket, 'starttls', '220 go\r\n'))) return
        socket.off('data', onData)
        serve(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) }), true)
      } else if (verb === 'AUTH') await answer(socket, 'auth', '235 welcome\r\n')
      else if (verb === 'MAIL') await answer(socket, 'mail', '250 ok\r\n')
      else if (verb === 'RCPT') await answer(socket, 'rcpt', '250 ok\r\n')
      else if (verb === 'DATA') {
        if (await answer(socket, 'data', '354 go\r\n')) message = []
      } else if (verb === 'RSET' || verb === 'NOOP') socket.write('250 ok\r\n')
      else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else socket.write('502 what\r\n')
    }
    socket.on('data', onData)
  }

  const server = createServer((socket) => {
    connections++
    serve(socket, false)
    void answer(socket, 'greeting', '220 faulty ESMTP\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    accepted,
    connections: () => connections,
    silent: () => silence.promise,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
