import type { View, Visit } from '../../../pages/pages.tsx'
import { formActionOf } from '../answer-address.ts'
import type { Authorization } from '../openid.ts'
import { openIdTexts } from './texts/texts.ts'

/**
 * The page that sends an answer by POST (OAuth 2.0 Form Post Response Mode). A script file submits the form; without
 * scripts, a person presses the button.
 */
export function handOverView(
  { locale }: Visit,
  { client, redirectUri, parameters }: Extract<Authorization, { kind: 'answer' }>,
): View {
  const texts = openIdTexts[locale].handOver
  return {
    title: texts.title,
    formAction: formActionOf(redirectUri),
    script: 'submit',
    content: (
      <>
        <p>{texts.text(client.name)}</p>
        <form method="post" action={redirectUri}>
          {Object.entries(parameters).map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          <button type="submit">{texts.button}</button>
        </form>
      </>
    ),
  }
}
