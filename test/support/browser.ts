import type { TestApp } from './app.ts'

/** A page as a browser shows it. */
export interface ShownPage {
  /** Path and query, after all redirects. */
  path: string
  status: number
  html: string
  /** The text of `h1`. */
  title: string | undefined
  headers: Headers
}

export interface TestBrowser {
  /** The cookies of the browser, by their names as sent. */
  cookies: Map<string, string>
  /** Sends one request with the cookies, and keeps the cookies of the answer. */
  get(path: string): Promise<Response>
  post(path: string, form: Record<string, string>): Promise<Response>
  /** Opens a page, and follows its redirects. */
  open(path: string): Promise<ShownPage>
  /**
   * Fills in a form of a page and sends it with its hidden fields, and follows the redirects.
   * @param at which form of the page; the first by default
   */
  send(page: ShownPage, fields?: Record<string, string>, at?: number): Promise<ShownPage>
  /** Logs in on the page to log in. */
  logIn(user: { username: string; password: string }, more?: Record<string, string>): Promise<ShownPage>
}

/** A browser without scripts: a cookie jar, and what it sends along with forms. */
export function browserFor(
  app: Pick<TestApp, 'request'>,
  { headers: more = {}, peer }: { headers?: Record<string, string>; peer?: string } = {},
): TestBrowser {
  const cookies = new Map<string, string>()
  const sent = () => ({
    accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
    ...(cookies.size > 0 && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
    ...more,
  })
  const kept = (answer: Response) => {
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/Max-Age=0(?:;|$)/.test(line)) cookies.delete(name!)
      else cookies.set(name!, value!)
    }
    return answer
  }
  const get = async (path: string) => kept(await app.request('GET', path, { headers: sent(), peer }))
  const post = async (path: string, form: Record<string, string>) =>
    kept(await app.request('POST', path, { form, headers: { ...sent(), 'sec-fetch-site': 'same-origin' }, peer }))
  const follow = async (from: string, answer: Response): Promise<ShownPage> => {
    let [path, last] = [from, answer]
    for (let hop = 0; last.status === 303; hop++) {
      if (hop === 5) throw new Error(`Too many redirects: ${path}`)
      const url = new URL(last.headers.get('location')!, `http://localhost:8000${path}`)
      if (url.origin !== 'http://localhost:8000') break
      path = url.pathname + url.search
      last = await get(path)
    }
    const html = await last.text()
    return { path, status: last.status, html, title: /<h1>(.*?)<\/h1>/.exec(html)?.[1], headers: last.headers }
  }
  const open = async (path: string) => follow(path, await get(path))
  const send = async (page: ShownPage, fields: Record<string, string> = {}, at = 0) => {
    const form = [...page.html.matchAll(/<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs)][at]
    if (!form) throw new Error(`${page.path} has no form ${at}: ${page.html}`)
    const hidden = [...form[2]!.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g)]
    const values = Object.fromEntries(hidden.map(([, name, value]) => [name!, unescaped(value!)]))
    const { pathname, search } = new URL(unescaped(form[1]!), `http://localhost:8000${page.path}`)
    return follow(pathname + search, await post(pathname + search, { ...values, ...fields }))
  }
  return {
    cookies,
    get,
    post,
    open,
    send,
    async logIn({ username, password }, fields = {}) {
      return send(await open('/sign-in'), { username, password, ...fields })
    },
  }
}

const unescaped = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
