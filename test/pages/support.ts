import type { RequestOptions, TestApp } from '../support/app.ts'

/** What a browser sends with a form of Keyward's own page. */
export const own = { 'sec-fetch-site': 'same-origin' }

/** Sends the form of a page as a browser does. */
export const submit = (
  app: TestApp,
  path: string,
  form: RequestOptions['form'],
  headers: Record<string, string> = {},
) => app.request('POST', path, { form, headers: { ...own, ...headers } })

/** The status of a page, and its `h1`. */
export const heading = async (answer: Response): Promise<[status: number, heading: string | undefined]> => [
  answer.status,
  /<h1>(.*?)<\/h1>/.exec(await answer.text())?.[1],
]

/** The values of an attribute in a page, in order. */
export const attributes = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value]) => value!)

/**
 * What a browser or another program says about the page that sent a form, and whether the form is accepted.
 * @param origin the origin of PUBLIC_URL, which has the path `base`
 */
export function formOrigins(
  origin: string,
  base: string,
): [name: string, headers: Record<string, string>, accepted: boolean][] {
  const app = 'https://app.example.com'
  return [
    ['same-origin', { 'sec-fetch-site': 'same-origin' }, true],
    ['same-origin with a foreign Origin', { 'sec-fetch-site': 'same-origin', origin: app }, true],
    ['no Sec-Fetch-Site and the own Origin', { origin }, true],
    ['same-site', { 'sec-fetch-site': 'same-site' }, false],
    ['cross-site', { 'sec-fetch-site': 'cross-site' }, false],
    ['none, as for a typed address', { 'sec-fetch-site': 'none' }, false],
    ['an unknown word', { 'sec-fetch-site': 'Same-Origin' }, false],
    ['an empty Sec-Fetch-Site and the own Origin', { 'sec-fetch-site': '', origin }, false],
    ['cross-site with the own Origin', { 'sec-fetch-site': 'cross-site', origin }, false],
    ['same-site with the own Origin', { 'sec-fetch-site': 'same-site', origin }, false],
    ['neither header', {}, false],
    ['the Origin null', { origin: 'null' }, false],
    ['an Origin of CORS_ORIGINS', { origin: app }, false],
    ['the own host with http', { origin: origin.replace('https', 'http') }, false],
    ['the own host with a port', { origin: `${origin}:8443` }, false],
    ['PUBLIC_URL with its path', { origin: `${origin}${base}` }, false],
    ['a longer host', { origin: `${origin}.evil.example` }, false],
    ['the Host header as Origin', { origin: 'http://localhost:8000' }, false],
    ['only a Referer', { referer: `${origin}${base}/forgot` }, false],
  ]
}
