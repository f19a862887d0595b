/** What a browser without scripts has before it: a page, or an address of another site to which it would go now. */
export interface Screen {
  /** The address of the page after all redirects, or the address of the other site. */
  url: URL
  /** Path and query of `url`. */
  path: string
  /** True when the address belongs to another site; then there is no page. */
  isAway: boolean
  status: number
  headers: Headers
  html: string
  /** The text of `h1`; empty when there is none. */
  title: string
  forms: readonly PageForm[]
}

export interface PageForm {
  action: string
  method: string
  /** The fields with the values that the page gave them; those of boxes are absent. */
  fields: Readonly<Record<string, string>>
}

/** Which form of a page is meant: its place, or what only this form is. */
export type WhichForm = number | ((form: PageForm) => boolean)

export interface TestBrowser {
  /** The cookies of the browser, by their names as sent. */
  readonly cookies: Map<string, string>
  /** Sends one request with the cookies, and keeps the cookies of the answer. */
  get(path: string): Promise<Response>
  post(path: string, form: Record<string, string>): Promise<Response>
  /** Opens an address of Keyward, and follows its redirects. */
  open(address: string): Promise<Screen>
  /** Sends a form of a page with its own fields and `fields`, as a click on its button does; the first form by default. */
  send(page: Screen, fields?: Record<string, string>, which?: WhichForm): Promise<Screen>
  /** The same with the page that was opened last. */
  submit(fields?: Record<string, string>, which?: WhichForm): Promise<Screen>
  /** Sends a form as the page of another site does: Lax cookies stay away. */
  postFromElsewhere(path: string, fields: Record<string, string>): Promise<Screen>
  /** Logs in on the page to log in. */
  logIn(user: { username: string; password: string }, more?: Record<string, string>): Promise<Screen>
  /** The page that was opened last. */
  screen(): Screen
  forget(cookie?: string): void
}

const MOST_REDIRECTS = 10

/** Where a browser finds Keyward: a `TestApp`, or a server that answers in its place. */
export interface Site {
  config: { PUBLIC_URL: string }
  fetch(request: Request, peer?: string): Promise<Response>
}

export interface BrowserOptions {
  /** `Accept-Language`. */
  language?: string
  /** More headers of every request. */
  headers?: Record<string, string>
  /** The client's address. */
  peer?: string
}

/** A browser without scripts in the process of the tests, with a cookie jar of its own. */
export function createBrowser(
  app: Site,
  { language = 'en', headers: more = {}, peer }: BrowserOptions = {},
): TestBrowser {
  const { origin } = new URL(app.config.PUBLIC_URL)
  const jar = new Map<string, string>()
  let last: Screen | undefined

  async function request(url: URL, { withoutCookies = false, ...init }: Sent = {}): Promise<Response> {
    const headers = new Headers({ 'accept-language': language, ...more, ...init.headers })
    headers.set('accept', 'text/html,application/xhtml+xml,*/*;q=0.8')
    if (!withoutCookies && jar.size > 0)
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    // The server is behind a proxy that ends TLS, as everywhere.
    const answer = await app.fetch(new Request(url.href.replace(/^https:/, 'http:'), { ...init, headers }), peer)
    for (const line of answer.headers.getSetCookie()) keep(line)
    return answer
  }

  async function visit(url: URL, sent: Sent = {}, redirects = 0): Promise<Screen> {
    const answer = await request(url, sent)
    const location = answer.headers.get('location')
    const isRedirect = location !== null && answer.status >= 300 && answer.status < 400
    const next = isRedirect ? new URL(location, url) : url
    if (isRedirect && next.origin === origin) {
      if (redirects === MOST_REDIRECTS) throw new Error(`Too many redirects, the last to ${next}`)
      return visit(next, {}, redirects + 1)
    }
    last = await screenOf(next, answer, isRedirect)
    return last
  }

  function keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    if (attributes.includes('Max-Age=0')) jar.delete(pair.slice(0, equals))
    else jar.set(pair.slice(0, equals), pair.slice(equals + 1))
  }

  const asForm = (fields: Record<string, string>): Sent => ({
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { origin, 'sec-fetch-site': 'same-origin' },
  })

  async function send(page: Screen, fields: Record<string, string> = {}, which: WhichForm = 0): Promise<Screen> {
    const form = typeof which === 'number' ? page.forms[which] : page.forms.find(which)
    if (!form) throw new Error(`There is no such form on the page ${JSON.stringify(page.title)}: ${page.html}`)
    return visit(new URL(form.action, page.url), asForm({ ...form.fields, ...fields }))
  }

  function screen(): Screen {
    if (!last) throw new Error('Nothing was opened yet')
    return last
  }

  const open = (address: string) => visit(new URL(address, origin))

  return {
    cookies: jar,
    get: (path) => request(new URL(path, origin)),
    post: (path, form) => request(new URL(path, origin), asForm(form)),
    open,
    send,
    submit: async (fields, which) => send(screen(), fields, which),
    postFromElsewhere: (path, fields) =>
      visit(new URL(path, origin), {
        ...asForm(fields),
        headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
        withoutCookies: true,
      }),
    logIn: async ({ username, password }, fields = {}) =>
      send(await open('/sign-in'), { username, password, ...fields }),
    screen,
    forget(cookie) {
      if (cookie === undefined) jar.clear()
      else jar.delete(cookie)
    },
  }
}

interface Sent {
  method?: string
  body?: URLSearchParams
  headers?: Record<string, string>
  withoutCookies?: boolean
}

async function screenOf(url: URL, answer: Response, isAway: boolean): Promise<Screen> {
  const html = isAway ? '' : await answer.text()
  return {
    url,
    path: url.pathname + url.search,
    isAway,
    status: answer.status,
    headers: answer.headers,
    html,
    title: /<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '',
    forms: await formsOf(html),
  }
}

async function formsOf(html: string): Promise<PageForm[]> {
  const forms: { action: string; method: string; fields: Record<string, string> }[] = []
  const rewriter = new HTMLRewriter()
    .on('form', {
      element: (form) => {
        forms.push({
          action: decoded(form.getAttribute('action') ?? ''),
          method: form.getAttribute('method') ?? 'get',
          fields: {},
        })
      },
    })
    .on('form input', {
      element: (input) => {
        const name = input.getAttribute('name')
        if (name !== null && input.getAttribute('type') !== 'checkbox')
          forms.at(-1)!.fields[name] = decoded(input.getAttribute('value') ?? '')
      },
    })
  await rewriter.transform(new Response(html)).text()
  return forms
}

const decoded = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
