import type { Locale } from '../../../lib/locale.ts'
import { Form } from '../../../pages/form.tsx'
import type { View, Visit } from '../../../pages/pages.tsx'
import { formActionOf } from '../answer-address.ts'
import { type AuthorizationRequest, isNative, type StandardScope } from '../openid.ts'
import { openIdTexts } from './texts/texts.ts'

export interface ConsentShown {
  asked: AuthorizationRequest
  username: string
  /** The sealed request, which the form sends along. */
  sealed: string
}

/** The page that asks whether a client may have what it asks for. */
export function consentView(visit: Visit, { asked, username, sealed }: ConsentShown): View {
  const texts = openIdTexts[visit.locale].consent
  const { client, redirectUri, scope } = asked
  return {
    title: texts.title(client.name),
    formAction: formActionOf(redirectUri),
    content: (
      <>
        <p>{texts.account(username)}</p>
        {isNative(client, redirectUri) && <p class="notice warning">{texts.unvouched}</p>}
        <p>{texts.intro(client.name)}</p>
        <Scopes scope={scope} locale={visit.locale} />
        <p class="hint place">{texts.goesTo(placeOf(redirectUri))}</p>
        <Form action={visit.link('/consent')} hidden={{ request: sealed, decision: 'allow' }} button={texts.allow} />
        <Form
          action={visit.link('/consent')}
          hidden={{ request: sealed, decision: 'deny' }}
          button={texts.deny}
          look="plain"
        />
        <ul class="links">
          <li>
            <a href={visit.link(`/sign-in?request=${sealed}`)}>{texts.otherAccount}</a>
          </li>
        </ul>
      </>
    ),
  }
}

/** What a client would get, in the words of the page. */
export function Scopes({ scope, locale }: { scope: string; locale: Locale }) {
  const { scopes, otherScope } = openIdTexts[locale].consent
  const isKnown = (word: string): word is StandardScope => Object.hasOwn(scopes, word)
  return (
    <ul class="scopes">
      {scope.split(' ').map((word) => (
        <li key={word}>{isKnown(word) ? scopes[word] : otherScope(word)}</li>
      ))}
    </ul>
  )
}

/** What a person can recognize of an address: its host, or the scheme of a program. */
function placeOf(redirectUri: string): string {
  const { host, protocol } = new URL(redirectUri)
  return host || protocol
}
