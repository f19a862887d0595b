import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import type { TestApp, TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail } from '../verification/support.ts'

describeEachDialect('the code of a mail', (dialect) => {
  const open = appsWithMail()
  const withMail = (more: TestAppOptions = {}) => open(dialect, more)

  /** Sends a mail with a code to a new or a known user. */
  async function codeFor(app: TestApp, sink: SmtpSink, userId: number, kind: 'log_in' | 'verify_email' = 'log_in') {
    const before = (await app.rows.mails.all()).map(({ id }) => id)
    await app.process.notify(kind, userId)
    await app.process.deliverMail()
    const { id } = (await app.rows.mails.all()).find((mail) => !before.includes(mail.id))!
    const code = /^\d{6}$/m.exec(sink.received.at(-1)!.message.text ?? '')![0]
    return { purpose: kind, id, code }
  }
  const wrongOf = ({ code }: { code: string }, n = 1) => String((Number(code) + n) % 1_000_000).padStart(6, '0')

  test('13.4 works once', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const typed = await codeFor(app, sink, id)
    expect(await app.process.useCode(typed)).toMatchObject({ id })
    expect(await app.process.useCode(typed)).toBeUndefined()
  })

  test('13.4 K1: a challenge id that is none is a wrong one, whatever it contains', async () => {
    const { app } = await withMail({ env: { EMAIL_LOGIN: 'on' } })
    for (const challenge_id of ['', '\0', `a${'\0'}b`, '\uffff', 'x'.repeat(22), 'x'.repeat(9_000)])
      for (const path of ['/email/verify', '/login/email/verify']) {
        const json = {
          challenge_id,
          code: '123456',
          ...(path === '/email/verify' && { new_password: 'a long password' }),
        }
        await expectRefusal(await app.request('POST', path, { json }), 'invalid_or_expired')
      }
  })

  test('13.4 H1: of 24 parallel uses of one code, one works', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const typed = await codeFor(app, sink, id)
    const used = await Promise.allSettled(Array.from({ length: 24 }, () => app.process.useCode(typed)))
    expect(used.filter((one) => one.status === 'fulfilled' && one.value !== undefined)).toHaveLength(1)
  })

  test('13.4 H4: after five wrong codes the right one is refused too, also when they come at once', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const typed = await codeFor(app, sink, id)
    for (let n = 1; n <= 5; n++) expect(await app.process.checkCode({ ...typed, code: wrongOf(typed, n) })).toBe(false)
    expect(await app.process.checkCode(typed)).toBe(false)
    const second = await codeFor(app, sink, id)
    // Of fifty at once, the right one among them, no more than five are compared.
    const guesses = Array.from({ length: 50 }, (_, n) => ({ ...second, code: wrongOf(second, n + 1) }))
    await Promise.all(guesses.map((guess) => app.process.checkCode(guess)))
    expect((await app.rows.proofs.one({ id: second.id })).tries).toBe(5)
    expect(await app.process.checkCode(second)).toBe(false)
  })

  test('13.4 H4: a try is counted before the comparison, and no rollback gives it back', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const typed = await codeFor(app, sink, id)
    for (let n = 1; n <= 3; n++) await app.process.checkCode({ ...typed, code: wrongOf(typed, n) })
    expect((await app.rows.proofs.one({ id: typed.id })).tries).toBe(3)
    expect(await app.process.checkCode(typed)).toBe(true)
    expect((await app.rows.proofs.one({ id: typed.id })).tries).toBe(4)
  })

  test('13.4 H4: 20 wrong codes a day for one address, over any number of mails; the right ones do not count', async () => {
    const { sink, app } = await withMail({ env: { RATE_LIMIT: 'on' } })
    const { id } = await app.signUp('ada')
    const bob = await app.signUp('bob')
    for (let mail = 0; mail < 4; mail++) {
      const right = await codeFor(app, sink, id)
      expect(await app.process.useCode(right)).toBeDefined()
      const typed = await codeFor(app, sink, id)
      for (let n = 1; n <= 5; n++) await app.process.checkCode({ ...typed, code: wrongOf(typed, n) })
    }
    const last = await codeFor(app, sink, id)
    const refused = app.process.checkCode(last)
    await expect(refused).rejects.toMatchObject({ code: 'rate_limited', limit: { name: 'code.account' } })
    expect((await app.rows.proofs.one({ id: last.id })).tries).toBe(0)
    expect(await app.process.checkCode(await codeFor(app, sink, bob.id))).toBe(true)
    await app.clock.advance(DAY)
    expect(await app.process.checkCode(await codeFor(app, sink, id))).toBe(true)
  })

  test('13.4 an address without an account: its codes are counted and refused in the same way', async () => {
    const { app } = await withMail({ env: { RATE_LIMIT: 'on' } })
    await app.process.ask('log_in', 'nobody@example.com')
    await app.process.deliverMail()
    const { id } = await app.rows.mails.one({ state: 'dropped' })
    const decoy = { purpose: 'log_in', id } as const
    for (let n = 0; n < 5; n++) expect(await app.process.checkCode({ ...decoy, code: '000000' })).toBe(false)
    expect((await app.rows.proofs.one({ id })).tries).toBe(5)
    expect(await app.process.checkCode({ ...decoy, code: '000000' })).toBe(false)
  })

  test('13.4 H3: it works for ten minutes, and not a millisecond more', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const first = await codeFor(app, sink, id)
    await app.clock.advance(10 * MINUTE - 1)
    expect(await app.process.checkCode(first)).toBe(true)
    await app.clock.advance(1)
    expect(await app.process.checkCode(first)).toBe(false)
    expect(await app.process.useCode(first)).toBeUndefined()
  })

  test('13.4 it counts only with the id of its mail, and for its purpose', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const one = await codeFor(app, sink, id)
    const two = await codeFor(app, sink, id)
    expect(await app.process.checkCode({ ...two, code: one.code === two.code ? '' : one.code })).toBe(false)
    expect(await app.process.checkCode({ ...one, id: 'AAAAAAAAAAAAAAAAAAAAAA' })).toBe(false)
    expect(await app.process.checkCode({ ...one, purpose: 'verify_email' })).toBe(false)
    for (const code of [
      '',
      ' ',
      `${one.code} `,
      Number(one.code).toString(16),
      one.code.slice(1),
      '\u0661\u0661\u0661\u0661\u0661\u0661',
    ])
      if (code !== one.code) expect([code, await app.process.checkCode({ ...two, code })]).toEqual([code, false])
  })

  test('13.4 H2: a newer mail voids the link of the older one and not its code; a new password voids both', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    const older = await codeFor(app, sink, id)
    await codeFor(app, sink, id)
    expect((await app.rows.proofs.one({ id: older.id })).tokenMac).toBeNull()
    expect(await app.process.checkCode(older)).toBe(true)
    await app.admin.setPassword(id, 'a longer and better one')
    const used = app.process.useCode(older)
    expect(await used.catch(() => undefined)).toBeUndefined()
  })

  test('13.4 war story 23: tokens and codes are random: a thousand of each share nothing', async () => {
    const { app } = await withMail()
    const made = Array.from({ length: 1_000 }, () => app.process.makeProof('verify_email'))
    const tokens = new Set(made.map(({ token }) => token))
    expect(tokens.size).toBe(1_000)
    for (const token of tokens) expect(token).toMatch(/^kwm_[\w-]{43}$/)
    for (let at = 4; at < 46; at++) expect(new Set([...tokens].map((token) => token[at])).size).toBeGreaterThan(60)
    for (const { code } of made) expect(code).toMatch(/^\d{6}$/)
    // Of a thousand draws out of a million, about one pair is equal.
    expect(new Set(made.map(({ code }) => code)).size).toBeGreaterThan(985)
    expect(new Set(made.map(({ code }) => code![0])).size).toBe(10)
  })
})
