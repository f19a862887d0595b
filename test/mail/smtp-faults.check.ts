import { afterEach, describe, expect, test } from 'bun:test'
import { createSmtp, MailFailure } from '../../src/features/mail/mail.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import { parseSmtpUrl } from '../../src/lib/smtp-url.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { certificate } from '../support/smtp.ts'
import { type Fault, type FaultStage, faultStages, startFaultySmtp } from '../support/smtp-faults.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

/** A server that fails at one stage until it is mended. */
async function serve(stage: FaultStage, fault: Fault) {
  const { key, cert, file } = await certificate()
  const now: { fault: Fault | undefined; stage: FaultStage } = { fault, stage }
  const server = await startFaultySmtp({ key, cert }, (at) => (at === now.stage ? now.fault : undefined))
  open.push(server)
  return {
    server,
    url: `smtp://ada:hunter2@localhost:${server.port}?ca=${file}`,
    fail(stage: FaultStage, fault: Fault | undefined) {
      now.stage = stage
      now.fault = fault
    },
  }
}

const mail = { id: 'abc', to: 'ada@example.com', subject: 'Subject', text: 'Text', html: '<p>Text</p>' }

function smtpOf(url: string) {
  const smtp = createSmtp({ server: parseSmtpUrl(url)!, from: 'no-reply@example.com' })
  open.push(smtp)
  return smtp
}

const failure = (sending: Promise<void>): Promise<unknown> =>
  sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )

/** The stages at which a reply is about the mail and its recipient, and not about the server. */
const ofMail: readonly FaultStage[] = ['rcpt', 'data', 'dot']

describe('a mail server that fails', () => {
  for (const stage of faultStages) {
    test(`13.1 that drops the connection (${stage}) gets the mail at the next attempt, over the same transport`, async () => {
      const { server, url, fail } = await serve(stage, 'drop')
      const smtp = smtpOf(url)
      const error = await failure(smtp.send(mail))
      expect(error).toBeInstanceOf(MailFailure)
      expect((error as MailFailure).facts).toEqual({ isFinal: false, isOfServer: true })
      // Not more than the few connections with which nodemailer tries again.
      expect(server.connections()).toBeLessThan(8)
      fail(stage, undefined)
      await smtp.send(mail)
      expect(server.accepted.length).toBe(stage === 'dot' ? 2 : 1)
      for (const raw of server.accepted) expect(raw).toContain('Message-ID: <abc@example.com>')
    })

    for (const code of [421, 454, 554])
      test(`13.1 that replies ${code} (${stage}) says whether another attempt may succeed`, async () => {
        const { server, url, fail } = await serve(stage, code)
        const smtp = smtpOf(url)
        const error = (await failure(smtp.send(mail))) as MailFailure
        expect(error).toBeInstanceOf(MailFailure)
        const isOfMail = ofMail.includes(stage) && code !== 421
        expect(error.facts).toEqual({ isFinal: isOfMail && code === 554, isOfServer: !isOfMail })
        expect(error.message).not.toContain('hunter2')
        expect(server.accepted).toEqual([])
        fail(stage, undefined)
        await smtp.send(mail)
        expect(server.accepted).toHaveLength(1)
      })

    test(`13.1 that replies byte by byte (${stage}) gets the mail`, async () => {
      const { server, url } = await serve(stage, 'dribble')
      await smtpOf(url).send(mail)
      expect(server.accepted).toHaveLength(1)
    })

    test(`13.1 that says nothing (${stage}) is left when the attempt ends, and its mail never follows`, async () => {
      const { server, url, fail } = await serve(stage, 'silence')
      const smtp = smtpOf(url)
      const attempt = new AbortController()
      const silent = server.silent()
      const sending = failure(smtp.send(mail, attempt.signal))
      await silent
      attempt.abort()
      expect(await sending).toBeInstanceOf(MailFailure)
      fail(stage, undefined)
      await smtp.send({ ...mail, id: 'next' })
      const ids = server.accepted.map((raw) => /^Message-ID: <(\w+)@/m.exec(raw)?.[1])
      expect(ids).toEqual(stage === 'dot' ? ['abc', 'next'] : ['next'])
    })
  }
})

describeEachDialect('a mail that meets every fault', (dialect) => {
  const apps = appsPerTest()

  test('13.1 is sent in the end, under one Message-ID', async () => {
    const { server, url, fail } = await serve('greeting', 'drop')
    const env = { SMTP_URL: url, MAIL_FROM: 'no-reply@example.com', MAIL_MAX_ATTEMPTS: '100' }
    const app = await apps.open({ dialect, env })
    const { id } = await app.signUp()
    await app.process.notify('password_changed', id)
    let attempts = 0
    const next = async () => app.clock.setWall((await app.rows.mails.one()).dueAt)
    for (const stage of faultStages)
      for (const fault of ['drop', 454, 'silence'] as const) {
        fail(stage, fault)
        const silent = server.silent()
        const delivered = app.process.deliverMail()
        if (fault === 'silence') {
          await silent
          await app.clock.advance(3 * MINUTE)
        }
        await delivered
        const row = await app.rows.mails.one()
        expect([stage, fault, row.state, row.attempts]).toEqual([stage, fault, 'queued', ++attempts])
        if (fault === 'silence') expect(row.error).toBe('the mail server took too long')
        await next()
      }
    fail('greeting', undefined)
    await app.process.deliverMail()
    expect(await app.rows.mails.one()).toMatchObject({ state: 'sent', attempts: attempts + 1, error: null })
    // The two connections that ended after the mail, whose acceptance Keyward could not know.
    expect(server.accepted).toHaveLength(3)
    expect(new Set(server.accepted.map((raw) => /^Message-ID: .*$/m.exec(raw)?.[0])).size).toBe(1)
  })
})
