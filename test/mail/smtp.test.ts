import { afterEach, describe, expect, test } from 'bun:test'
import { renameSync } from 'node:fs'
import { createSmtp } from '../../src/features/mail/mail.ts'
import { MailFailure, type Outgoing } from '../../src/features/mail/transport.ts'
import { parseSmtpUrl } from '../../src/lib/smtp-url.ts'
import { certificate, reply, type SmtpOptions, type SmtpSink, startSmtp } from '../support/smtp.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function serve(options: SmtpOptions = {}): Promise<SmtpSink> {
  const sink = await startSmtp(options)
  open.push(sink)
  return sink
}

function send(url: string, mail: Partial<Outgoing> = {}, from = 'no-reply@example.com'): Promise<void> {
  const smtp = createSmtp({ server: parseSmtpUrl(url)!, from })
  open.push(smtp)
  return smtp.send({ id: 'abc', to: 'ada@example.com', subject: 'Subject', text: 'Text', html: '<p>Text</p>', ...mail })
}

const failure = async (sending: Promise<void>): Promise<MailFailure> => {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof MailFailure)) throw new Error(`no MailFailure: ${error}`)
  return error
}

describe('a mail over SMTP', () => {
  test('13.1 with STARTTLS is encrypted before user and password are sent', async () => {
    const { key, cert, file } = await certificate()
    const sink = await serve({ key, cert, authOptional: false })
    await send(`smtp://ada:p%40ss@localhost:${sink.port}?ca=${file}`)
    expect(sink.received).toMatchObject([{ isSecure: true, user: 'ada', to: ['ada@example.com'] }])
  })

  test('13.1 with smtps is encrypted from the first byte', async () => {
    const { key, cert, file } = await certificate()
    const sink = await serve({ key, cert, secure: true })
    await send(`smtps://localhost:${sink.port}?ca=${file}`)
    expect(sink.received).toMatchObject([{ isSecure: true }])
  })

  test('13.1 is not sent to a server whose certificate no known authority signed', async () => {
    const { key, cert } = await certificate()
    const sink = await serve({ key, cert })
    const { message, facts } = await failure(send(`smtp://localhost:${sink.port}`))
    expect(message).toMatch(/self.signed|certificate/i)
    expect(facts).toEqual({ isFinal: false, isOfServer: true })
    expect(sink.received).toEqual([])
  })

  test('13.1 is not sent to a server whose certificate is for another name', async () => {
    const { key, cert, file } = await certificate('mail.example.com')
    const sink = await serve({ key, cert })
    expect((await failure(send(`smtp://localhost:${sink.port}?ca=${file}`))).facts.isOfServer).toBe(true)
    expect(sink.received).toEqual([])
  })

  test('13.1 is not sent without TLS to a server that offers none, unless SMTP_URL says tls=none', async () => {
    const sink = await serve()
    expect((await failure(send(`smtp://localhost:${sink.port}`))).facts).toEqual({ isFinal: false, isOfServer: true })
    expect(sink.received).toEqual([])
    await send(`smtp://localhost:${sink.port}?tls=none`)
    expect(sink.received).toHaveLength(1)
  })

  test('13.7 has one recipient, whatever the address looks like', async () => {
    const sink = await serve()
    for (const to of ['=?utf-8?q?x?=@example.com', 'a+b@example.com', "o'hara@example.com"]) {
      await send(`smtp://localhost:${sink.port}?tls=none`, { to })
      expect(sink.received.at(-1)?.to).toEqual([to])
    }
  })

  test('13.1 a name in MAIL_FROM is in the header, and only the address in the envelope', async () => {
    const sink = await serve()
    await send(`smtp://localhost:${sink.port}?tls=none`, {}, 'Example Shop <shop@example.com>')
    expect(sink.received[0]?.from).toBe('shop@example.com')
    expect(sink.received[0]?.message.from?.text).toBe('"Example Shop" <shop@example.com>')
    expect(sink.received[0]?.message.messageId).toBe('<abc@example.com>')
  })

  test('13.1 a refusal says whether another attempt may succeed, and whether it is about this mail', async () => {
    const at = (stage: string, code: number) => serve({ at: (now) => (now === stage ? reply(code, 'no') : undefined) })
    const facts = async (stage: string, code: number) =>
      (await failure(send(`smtp://localhost:${(await at(stage, code)).port}?tls=none`))).facts
    expect(await facts('rcpt', 550)).toEqual({ isFinal: true, isOfServer: false })
    expect(await facts('rcpt', 450)).toEqual({ isFinal: false, isOfServer: false })
    expect(await facts('after data', 554)).toEqual({ isFinal: true, isOfServer: false })
    expect(await facts('after data', 452)).toEqual({ isFinal: false, isOfServer: false })
    // The sender is the same for every mail.
    expect(await facts('mail', 550)).toEqual({ isFinal: false, isOfServer: true })
  })

  test('13.1 a file of certificates that was missing is read at the next mail', async () => {
    const { key, cert, file } = await certificate()
    const sink = await serve({ key, cert })
    renameSync(file, `${file}.away`)
    const smtp = createSmtp({
      server: parseSmtpUrl(`smtp://localhost:${sink.port}?ca=${file}`)!,
      from: 'a@example.com',
    })
    open.push(smtp)
    const mail = { id: 'abc', to: 'ada@example.com', subject: 'Subject', text: 'Text', html: '<p>Text</p>' }
    expect((await failure(smtp.send(mail))).message).toContain('ENOENT')
    renameSync(`${file}.away`, file)
    await smtp.send(mail)
    expect(sink.received).toHaveLength(1)
  })

  test('13.1 a server that is not there is trouble of the server', async () => {
    const sink = await startSmtp()
    await sink.close()
    const { message, facts } = await failure(send(`smtp://localhost:${sink.port}?tls=none`))
    expect(message).toContain('ECONNREFUSED')
    expect(facts).toEqual({ isFinal: false, isOfServer: true })
  })

  test('13.1 a wrong password is trouble of the server, and the message does not contain it', async () => {
    const { key, cert, file } = await certificate()
    const sink = await serve({ key, cert, onAuth: (_auth, _session, done) => done(new Error('Invalid hunter2')) })
    const { message, facts } = await failure(send(`smtp://ada:hunter2@localhost:${sink.port}?ca=${file}`))
    expect(facts).toEqual({ isFinal: false, isOfServer: true })
    expect(message).not.toContain('hunter2')
  })
})
