import { Form } from '../../../pages/form.tsx'
import type { View, Visit } from '../../../pages/pages.tsx'
import { doneView } from '../../../pages/parts.tsx'
import { formActionOf } from '../answer-address.ts'
import type { Logout, LogoutParameters } from '../openid.ts'
import { openIdTexts } from './texts/texts.ts'

/** The page that asks whether the user wants to sign out. The form sends the parameters of the request again. */
export function endSessionView(
  visit: Visit,
  { browser, client, address }: Extract<Logout, { kind: 'ask' }>,
  { sent, formToken }: { sent: LogoutParameters; formToken: string },
): View {
  const texts = openIdTexts[visit.locale].logout
  return {
    title: texts.title,
    formAction: address === undefined ? undefined : formActionOf(address),
    content: (
      <>
        <p>{texts.account(browser.user.username)}</p>
        {client && <p>{texts.by(client.name)}</p>}
        <Form
          action={visit.link('/end-session/confirm')}
          hidden={{ ...picked(sent), form: formToken }}
          button={texts.button}
        />
      </>
    ),
  }
}

export const signedOutView = (visit: Visit): View => doneView(visit, openIdTexts[visit.locale].logout.done)

/** The parameters that the answer depends on, its language too. */
const picked = (sent: LogoutParameters): Record<string, string> =>
  Object.fromEntries(
    ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'ui_locales'].flatMap((name) =>
      sent[name] ? [[name, sent[name]]] : [],
    ),
  )
