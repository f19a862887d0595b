import { expect, test } from 'bun:test'
import { enrol, listed } from '../enrollment/support.ts'
import { audit, decode } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { appsWithMail } from '../verification/support.ts'
import { answerLogin, waitingLogin } from './support.ts'

describeEachDialect('a recovery code', (dialect) => {
  const open = appsWithMail()

  test('M9: ends one login in place of the second factor, as people type it, and the owner is told how many are left', async () => {
    const { app, sink } = await open(dialect)
    const ada = await app.signUp()
    const bea = await app.signUp('bea')
    const { token, recovery_codes: codes } = await enrol(app, ada.grant.access_token)
    const hers = (await enrol(app, bea.grant.access_token)).recovery_codes!
    const answer = async (code: string) =>
      answerLogin(app, { mfa_token: await waitingLogin(app, ada), recovery_code: code })
    const used = await answer(codes![4]!)
    expect(used.status).toBe(200)
    const grant = (await used.json()) as { access_token: string }
    expect(decode(grant.access_token).payload).toMatchObject({ amr: ['pwd', 'recovery', 'mfa'], acr: 'aal2' })
    // That of another user, one that is used, and what is no code.
    for (const wrong of [
      hers[0]!,
      codes![4]!,
      codes![4]!.toUpperCase(),
      `${codes![0]!}0`,
      codes![0]!.slice(1),
      'x',
      '١',
    ])
      await expectRefusal(await answer(wrong), 'invalid_code')
    const typed = codes![0]!.replaceAll('-', ' ').toUpperCase().replaceAll('0', 'O').replaceAll('1', 'l')
    expect((await answer(` ${typed} `)).status).toBe(200)
    expect((await listed(app, grant.access_token)).recovery_codes.remaining).toBe(8)
    expect((await listed(app, token)).recovery_codes.remaining).toBe(8)
    const events = await audit(app, 'recovery_code.used')
    expect(events.map(({ details }) => details)).toEqual(['{"left":9}', '{"left":8}'])
    await app.process.deliverMail()
    const told = sink.received.filter(({ message }) => message.subject === 'A recovery code was used at Example')
    expect(told.map(({ message }) => / (\d) codes are left/.exec(message.text ?? '')?.[1]).sort()).toEqual(['8', '9'])
  })

  test('M9: works once also at 24 logins at the same moment', async () => {
    const { app } = await open(dialect)
    const ada = await app.signUp()
    const { recovery_codes: codes } = await enrol(app, ada.grant.access_token)
    const tokens: string[] = []
    for (let at = 0; at < 24; at++) tokens.push(await waitingLogin(app, ada))
    const answers = await Promise.all(
      tokens.map((token) => answerLogin(app, { mfa_token: token, recovery_code: codes![0] })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(23)
    expect(await audit(app, 'recovery_code.used')).toHaveLength(1)
  })
})
