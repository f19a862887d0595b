import { exchangeOf } from '../../../http/exchange.ts'
import type { View, Visit } from '../../../pages/pages.tsx'
import type { Saying } from '../../../pages/texts/text.ts'
import type { PageReason } from '../openid.ts'
import { openIdTexts } from './texts/texts.ts'

/** The page of a request that must not lead to a redirect. It shows nothing of the request. */
export const refusedView = (visit: Visit, reason: PageReason): View =>
  sayingView(visit, openIdTexts[visit.locale].refused[reason])

/** The page of a form whose request is too old, or was made for another browser. */
export const staleView = (visit: Visit): View => sayingView(visit, openIdTexts[visit.locale].stale)

function sayingView({ request, locale }: Visit, { title, text }: Saying): View {
  const id = exchangeOf(request)?.id
  return {
    title,
    status: 400,
    content: (
      <>
        <p>{text}</p>
        {id && <p class="hint">{openIdTexts[locale].requestId(id)}</p>}
      </>
    ),
  }
}
