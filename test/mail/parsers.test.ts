import { expect, test } from 'bun:test'
import { hasProof, mailKinds } from '../../src/features/mail/kinds.ts'
import { createSmtp, type MailKind } from '../../src/features/mail/mail.ts'
import { render } from '../../src/features/mail/render.ts'
import { createTemplates } from '../../src/features/mail/templates.ts'
import { locales } from '../../src/lib/locale.ts'
import { parseSmtpUrl } from '../../src/lib/smtp-url.ts'
import { hasPythonModules, python } from '../support/programs.ts'
import { addressesOf, type Received, startSmtp } from '../support/smtp.ts'

/** What a reader of mails makes of one. */
interface Read {
  subject: string
  from: string
  to: string[]
  id: string
  text: string
  html: string
  /** Defects that Python's parser found. */
  defects: string[]
}

/** Characters of all lengths in UTF-8, and lines longer than the 998 bytes of RFC 5321 and the 78 of RFC 5322. */
const app = 'Müller & Söhne 株式会社 🦊'
const long = `${'é長🦊'.repeat(400)} end`
const values = { username: 'ada', time: '1 January 2026', ip: '192.0.2.1', device: long, address: '.dot\n.\nline' }
const link = `https://auth.example.com/verify?token=kwm_${'a'.repeat(43)}`
const proof = { link, code: '012345', minutes: '30', code_minutes: '10', until: 'tomorrow' }

const kinds = Object.keys(mailKinds) as MailKind[]

/** Sends every mail in every language, and returns what was to be sent beside what came. */
async function sendAll() {
  const sink = await startSmtp()
  const from = `${app.replace('&', 'und')} <no-reply@example.com>`
  const smtp = createSmtp({ server: parseSmtpUrl(`smtp://localhost:${sink.port}?tls=none`)!, from })
  const texts = createTemplates(undefined)
  const sent = kinds.flatMap((kind) =>
    locales.map((locale) => {
      const details = JSON.stringify(values)
      const made = render(
        texts,
        { app, support: 'help@example.com' },
        { kind, locale, details },
        hasProof(kind) ? proof : {},
      )
      return { id: `${kind}-${locale}`, to: `${locale}+x@example.com`, ...made }
    }),
  )
  try {
    for (const mail of sent) await smtp.send(mail)
    return { sent, received: sink.received }
  } finally {
    await smtp.close()
    await sink.close()
  }
}

const PROGRAM = `
import email, email.header, email.policy, email.utils, json, sys
def name_in(raw):
    # The policy's own parser puts a space between two encoded words of a name (before Python 3.12.4).
    header = email.message_from_string(raw)["From"]
    return email.utils.parseaddr(str(email.header.make_header(email.header.decode_header(header))))[0]
def read(raw):
    mail = email.message_from_string(raw, policy=email.policy.SMTP)
    body = lambda kind: mail.get_body((kind,)).get_content().replace("\\r\\n", "\\n")
    parts = list(mail.walk())
    return dict(subject=mail["Subject"], id=mail["Message-ID"].strip("<>"), text=body("plain"), html=body("html"),
        **{"from": name_in(raw)}, to=[one.addr_spec for one in mail["To"].addresses],
        defects=[str(one) for part in parts for one in part.defects]
            + [str(one) for part in parts for header in part.values() for one in header.defects])
print(json.dumps([read(raw) for raw in json.load(sys.stdin)]))
`

const byMailparser = ({ message }: Received): Read => ({
  subject: message.subject ?? '',
  from: message.from?.value[0]?.name ?? '',
  to: addressesOf(message.to),
  id: (message.messageId ?? '').replace(/^<|>$/g, ''),
  text: message.text ?? '',
  html: message.html || '',
  defects: [],
})

test.skipIf(!hasPythonModules('email'))(
  '13.3 every mail in every language is read back whole by mailparser and by Python, headers and both parts',
  async () => {
    const { sent, received } = await sendAll()
    expect(received).toHaveLength(sent.length)
    const readers = [
      received.map(byMailparser),
      await python<Read[]>(
        PROGRAM,
        received.map(({ raw }) => raw),
      ),
    ]
    for (const reads of readers)
      for (const [index, { id, to, subject, text, html }] of sent.entries())
        expect(reads[index]).toEqual({
          subject,
          from: app.replace('&', 'und'),
          to: [to],
          id: `${id}@example.com`,
          text,
          html,
          defects: [],
        })
    for (const { raw } of received) {
      expect(raw).toMatch(/^Content-Type: multipart\/alternative/m)
      // The shortest lines that every mail server takes, and nothing that it must be told to take.
      expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78)
      expect(raw).toMatch(/^[\x00-\x7f]*$/)
      expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    }
  },
)
