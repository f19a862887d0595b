import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { scratchFolder } from './scratch.ts'

/** A mail as the server received it: the envelope apart from the message. */
export interface Received {
  from: string
  to: string[]
  isSecure: boolean
  user: string | undefined
  message: ParsedMail
  raw: string
}

export interface SmtpSink {
  port: number
  received: Received[]
  /** Resolves when this many mails have arrived. */
  arrived(count: number): Promise<void>
  /** Resolves when no client is connected, and every whole mail is in `received`. */
  idle(): Promise<void>
  close(): Promise<void>
}

/** A stage of a mail at which a server may refuse it or drop the connection. */
export type Stage = 'connect' | 'mail' | 'rcpt' | 'data' | 'after data'

export interface SmtpOptions extends SMTPServerOptions {
  port?: number
  /** Called at each stage with the recipient, if it is known; an error with a `responseCode` is the reply. */
  at?: (stage: Stage, recipient: string | undefined) => Outcome | Promise<Outcome>
}

type Outcome = Error | 'drop' | undefined

/** A reply of the server. */
export const reply = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode })

/** A real SMTP server on loopback that keeps what it gets. */
export async function startSmtp({ at = () => undefined, port = 0, ...options }: SmtpOptions = {}): Promise<SmtpSink> {
  const received: Received[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  let reading = 0
  const decide = async (
    stage: Stage,
    recipient: string | undefined,
    connection: { close?: () => void },
    done: (error?: Error | null) => void,
  ) => {
    const outcome = await at(stage, recipient)
    if (outcome === 'drop') connection.close?.()
    else done(outcome)
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.secure || options.key ? [] : ['STARTTLS'],
    onAuth: ({ username }, _session, done) => done(null, { user: username }),
    onMailFrom(_address, session, done) {
      decide('mail', undefined, connectionOf(server, session.id), done)
    },
    onRcptTo({ address }, session, done) {
      decide('rcpt', address, connectionOf(server, session.id), done)
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      const to = session.envelope.rcptTo.map(({ address }) => address)
      const connection = connectionOf(server, session.id)
      Promise.resolve(at('data', to[0])).then((outcome) => outcome === 'drop' && connection.close?.())
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', async () => {
        reading++
        const raw = Buffer.concat(chunks)
        const { mailFrom } = session.envelope
        const outcome = await at('after data', to[0])
        // A server that drops the connection after the mail may have taken it.
        if (!(outcome instanceof Error)) {
          received.push({
            from: mailFrom ? mailFrom.address : '',
            to,
            isSecure: session.secure,
            user: session.user as string | undefined,
            message: await simpleParser(raw),
            raw: raw.toString(),
          })
          for (const { resolve } of waiting.filter(({ count }) => count <= received.length)) resolve()
          waiting = waiting.filter(({ count }) => count > received.length)
        }
        reading--
        if (outcome === 'drop') connection.close?.()
        else done(outcome)
      })
    },
    ...options,
  })
  // A client that refuses the certificate is an error of the connection, not of the test.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    received,
    arrived: (count) =>
      received.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    async idle() {
      while (reading > 0 || openConnections(server).size > 0) await Bun.sleep(2)
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** The package's types do not show its connections. */
const openConnections = (server: SMTPServer): Set<{ id: string; close: () => void }> =>
  (server as unknown as { connections: Set<{ id: string; close: () => void }> }).connections

/** The socket of a session. */
const connectionOf = (server: SMTPServer, id: string): { close?: () => void } =>
  [...openConnections(server)].find((one) => one.id === id) ?? {}

/** The addresses of a header. */
export const addressesOf = (header: AddressObject | AddressObject[] | undefined): string[] =>
  [header ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address ?? ''))

/** A certificate for `name`, made by openssl, and its key. */
export async function certificate(name = 'localhost'): Promise<{ key: Buffer; cert: Buffer; file: string }> {
  const folder = scratchFolder('certificate')
  const made = Bun.spawn(
    [
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      join(folder, 'key.pem'),
      '-out',
      join(folder, 'cert.pem'),
      '-subj',
      `/CN=${name}`,
      '-addext',
      `subjectAltName=DNS:${name}`,
    ],
    { stdout: 'ignore', stderr: 'ignore' },
  )
  if ((await made.exited) !== 0) throw new Error('openssl made no certificate')
  const file = join(folder, 'cert.pem')
  return { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(file), file }
}
