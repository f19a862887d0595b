import { expect, test } from 'bun:test'
import { locales } from '../../src/lib/locale.ts'
import { loggedIn } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import type { Received } from '../support/smtp.ts'
import { appsWithMail, changeAddress, forgot, linkStart, mailTo, patch, reset, tokenIn, undo } from './support.ts'

/** Words of each mail that leads to a new password. No mail may have those of another. */
const words = {
  en: ['Somebody, probably you', 'An administrator of Example', 'was undone', 'If the account has a password,'],
  de: [
    'Jemand, wahrscheinlich Sie',
    'Ein Administrator von Example',
    'rückgängig gemacht',
    'Wenn das Konto ein Passwort hat,',
  ],
  fr: [
    'Quelqu’un, sans doute vous',
    'Un administrateur de Example',
    'a été annulée',
    'Si le compte a un mot de passe,',
  ],
  es: [
    'Alguien, probablemente usted',
    'Un administrador de Example',
    'Se ha deshecho',
    'Si la cuenta tiene una contraseña,',
  ],
  ja: ['設定が求められました', '管理者から', '取り消され', 'アカウントにパスワードがある場合'],
} as const

describeEachDialect('the words of the mails that lead to a new password', (dialect) => {
  const withMail = appsWithMail()
  const textOf = ({ message }: Received) => message.text!.replace(/kwm_[\w-]+/, 'TOKEN')

  test('13.3 say who wants it: the user, an administrator, or nobody, because a change of address was undone', async () => {
    const { sink, app } = await withMail(dialect)
    const ada = await app.signUp('ada')
    const boss = await app.signUp('boss')
    await app.admin.giveRole(boss.id, 'admin')
    const arrived = async () => {
      await app.process.deliverMail()
      return mailTo(sink, ada.email)
    }
    let { password } = ada
    for (const locale of locales) {
      const [byUser, byAdmin, undone, ifAny] = words[locale]
      const grant = await loggedIn(app, { ...ada, password })
      expect((await patch(app, grant.access_token, { locale })).status).toBe(200)
      const hasOnly = (mail: Received, own: readonly string[]) => {
        for (const part of [mail.message.text, String(mail.message.html)])
          expect<string[]>(words[locale].filter((word) => part!.includes(word))).toEqual([...own])
        expect(mail.message.text).toContain(`${linkStart}reset?token=`)
      }
      // The notices of the round before go out first, so that the newest mail is the one that is asked for.
      await app.process.deliverMail()
      await forgot(app, ada.email)
      hasOnly(await arrived(), [byUser, ifAny])

      const path = `/admin/users/${ada.id}/password-reset`
      expect((await app.request('POST', path, { token: boss.grant.access_token })).status).toBe(202)
      hasOnly(await arrived(), [byAdmin, ifAny])

      const link = await changeAddress(app, sink, { grant }, ada.email, `${locale}@new.example`)
      expect((await undo(app, link)).status).toBe(204)
      // The account has no password now, so the mail does not speak of one that works.
      const restored = await arrived()
      hasOnly(restored, [undone])
      password = `a new password in ${locale}`
      expect((await reset(app, tokenIn(restored), password)).status).toBe(204)
    }
  })

  test('13.3 are the same for an account without a password: the mail does not say whether there is one', async () => {
    const { sink, app } = await withMail(dialect)
    const [ada, bob] = [await app.signUp('ada'), await app.signUp('bob')]
    await app.rows.users.change({ id: bob.id }, { passwordHash: null, passwordScheme: null })
    for (const locale of locales) {
      for (const { email } of [ada, bob]) await forgot(app, email, { 'accept-language': locale })
      await app.process.deliverMail()
      const [withOne, without] = [mailTo(sink, ada.email), mailTo(sink, bob.email)]
      expect(textOf(without)).toBe(textOf(withOne).replace('ada', 'bob'))
      expect(without.message.subject).toBe(withOne.message.subject!)
      expect(textOf(without)).toContain(words[locale][3])
    }
    expect((await reset(app, tokenIn(mailTo(sink, bob.email)))).status).toBe(204)
  })
})
