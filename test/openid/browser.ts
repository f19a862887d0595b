/** What a browser without scripts has before it: a page, or an address of another site to which it would go now. */
export interface Screen {
  /** The address of the page, or the address of the other site. */
  url: URL
  /** True when the address belongs to another site; then there is no page. */
  isAway: boolean
  status: number
  headers: Headers
  html: string
  title: string
  forms: readonly PageForm[]
}

export interface PageForm {
  action: string
  method: string
  fields: Readonly<Record<string, string>>
}

export interface TestBrowser {
  readonly cookies: ReadonlyMap<string, string>
  /** Opens an address of Keyward, and follows its redirects. */
  open(address: string): Promise<Screen>
  /** Sends a form of the page that was opened last, as a click on its button does. */
  submit(fields?: Record<string, string>, which?: (form: PageForm) => boolean): Promise<Screen>
  /** Sends a form as the page of another site does: Lax cookies stay away. */
  postFromElsewhere(path: string, fields: Record<string, string>): Promise<Screen>
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

/** A browser without scripts in the process of the tests, with a cookie jar of its own. */
export function createBrowser(
  app: Site,
  { language = 'en', peer }: { language?: string; peer?: string } = {},
): TestBrowser {
  const origin = new URL(app.config.PUBLIC_URL).origin
  const jar = new Map<string, string>()
  let last: Screen | undefined

  async function visit(
    url: URL,
    init: RequestInit & { withoutCookies?: boolean } = {},
    redirects = 0,
  ): Promise<Screen> {
    const { withoutCookies, ...request } = init
    const headers = new Headers(request.headers)
    headers.set('accept', 'text/html')
    headers.set('accept-language', language)
    if (!withoutCookies && jar.size > 0)
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    // The server is behind a proxy that ends TLS, as everywhere.
    const response = await app.fetch(new Request(url.href.replace(/^https:/, 'http:'), { ...request, headers }), peer)
    for (const line of response.headers.getSetCookie()) keep(line)
    const location = response.headers.get('location')
    if (location !== null && response.status >= 300 && response.status < 400) {
      const next = new URL(location, url)
      if (next.origin !== origin) {
        last = away(next, response)
        return last
      }
      if (redirects === MOST_REDIRECTS) throw new Error(`Too many redirects, the last to ${next}`)
      return visit(next, {}, redirects + 1)
    }
    const html = await response.text()
    const { status } = response
    last = {
      url,
      isAway: false,
      status,
      headers: response.headers,
      html,
      title: titleOf(html),
      forms: await formsOf(html),
    }
    return last
  }

  function keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    if (attributes.includes('Max-Age=0')) jar.delete(pair.slice(0, equals))
    else jar.set(pair.slice(0, equals), pair.slice(equals + 1))
  }

  const post = (url: URL, fields: Record<string, string>, headers: Record<string, string>, withoutCookies = false) =>
    visit(url, { method: 'POST', body: new URLSearchParams(fields), headers, withoutCookies })

  return {
    cookies: jar,
    open: (address) => visit(new URL(address, origin)),
    async submit(fields = {}, which = () => true) {
      const form = last?.forms.find(which)
      if (!last || !form) throw new Error(`There is no such form on the page ${JSON.stringify(last?.title)}`)
      const url = new URL(form.action, last.url)
      return post(url, { ...form.fields, ...fields }, { origin, 'sec-fetch-site': 'same-origin' })
    },
    postFromElsewhere: (path, fields) =>
      post(
        new URL(path, origin),
        fields,
        { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
        true,
      ),
    screen() {
      if (!last) throw new Error('Nothing was opened yet')
      return last
    },
    forget(cookie) {
      if (cookie === undefined) jar.clear()
      else jar.delete(cookie)
    },
  }
}

const away = (url: URL, { status, headers }: Response): Screen => ({
  url,
  isAway: true,
  status,
  headers,
  html: '',
  title: '',
  forms: [],
})

const titleOf = (html: string): string => /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? ''

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
