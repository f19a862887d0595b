import { codeAt, stepAt } from '../../src/features/factors/totp.ts'
import { fromBase32 } from '../../src/lib/encoding.ts'
import type { PageForm, Screen, TestBrowser, WhichForm } from '../support/browser.ts'

/** The form of a page that does `what`, as its field `do` says. */
export const to =
  (what: string, kind?: string) =>
  ({ fields }: PageForm) =>
    fields.do === what && fields.kind === kind

/** What `passkey.js` does: asks for the options of a form, and sends the answer of the authenticator in it. */
export async function useKey<Options>(
  browser: TestBrowser,
  page: Screen,
  answer: (options: Options) => object,
  { fields = {}, form: which = ({ fields: own }) => 'credential' in own }: KeyForm = {},
): Promise<Screen> {
  const form = typeof which === 'number' ? page.forms[which]! : page.forms.find(which)!
  const path = /data-options="([^"]+)"/.exec(page.html)![1]!
  const asked = await browser.post(new URL(path, page.url).pathname, form.fields)
  const { options, challenge_id: id } = (await asked.json()) as { options: Options; challenge_id?: string }
  const made = { credential: JSON.stringify(answer(options)), ...(id !== undefined && { challenge_id: id }) }
  return browser.send(page, { ...made, ...fields }, which)
}

export interface KeyForm {
  /** What the form has besides. */
  fields?: Record<string, string>
  form?: WhichForm
}

/** The authenticator app that has read the page of its secret: its code at a time. */
export function appOf({ html }: Screen): (at: number) => string {
  const secret = /[?&]secret=([A-Z2-7]+)/.exec(decodeURIComponent(html))![1]!
  return (at) => codeAt(fromBase32(secret)!, stepAt(at))
}

/** The recovery codes on a page. */
export const codesOf = ({ html }: Screen): string[] =>
  [...html.matchAll(/<code>([\w-]{19})<\/code>/g)].map(([, code]) => code!)
