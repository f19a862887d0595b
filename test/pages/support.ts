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
