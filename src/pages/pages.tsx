import type { ComponentChildren } from 'preact'
import type { FieldError, KeywardError } from '../errors.ts'
import type { BrowserSession } from '../features/sessions/sessions.ts'
import type { SignIn, SignInRequest } from '../features/sign-in/sign-in.ts'
import { asRefusal, problemType, refuse } from '../http/errors.ts'
import { exchangeOf } from '../http/exchange.ts'
import { locationFrom } from '../http/location.ts'
import { readForm } from '../http/parsers.ts'
import { pathOf, targetOf } from '../http/route-table.ts'
import { toBase64Url } from '../lib/encoding.ts'
import { sha256 } from '../lib/hash.ts'
import type { Locale } from '../lib/locale.ts'
import type { Log } from '../lib/log.ts'
import { brandStyle } from './brand-color.ts'
import { type CookieChange, type CookieName, createCookies, mayUseCookies } from './cookies.ts'
import { languageOf, languageOfHeader } from './language.ts'
import { documentOf } from './layout.tsx'
import { answerLogo, readLogo } from './logo.ts'
import { checkedAddress, type Next } from './next.ts'
import { permissions, policyOf } from './policy.ts'
import { problemOf } from './problem.ts'
import { queryOf } from './query.ts'
import { requireSameOrigin } from './same-origin.ts'
import { type ScriptName, scriptFile, scriptFiles } from './scripts.ts'
import baseStyle from './style.css' with { type: 'text' }
import { takesHtml } from './takes-html.ts'
import type { KitTexts, Saying } from './texts/text.ts'
import { kitTexts } from './texts/texts.ts'

export interface PagesNeeds {
  log: Log
  /** PUBLIC_URL. A form is accepted only from a page of this origin. */
  publicUrl: string
  /** APP_NAME. */
  app: string
  /** SUPPORT_EMAIL. */
  support: string | undefined
  /** The path of BRAND_LOGO. */
  logo: string | undefined
  /** BRAND_COLOR. */
  color: string | undefined
  /** APP_URL. The page after a successful form links to it. */
  appUrl: string | undefined
  signIn: Pick<SignIn, 'open' | 'browserOf'>
}

/** A request for a page, with everything that a page needs from it. */
export interface Visit {
  request: Request
  /** The language of the page, see `languageOf`. */
  locale: Locale
  /** The texts that all pages share, in the language of the page. */
  texts: KitTexts
  app: string
  appUrl: string | undefined
  /** The parameters of the query of a GET, or the fields of the form of a POST. */
  input: Readonly<Record<string, string>>
  /** The address of a page of Keyward, relative to this page, such as `reset` for `/reset`. */
  link(path: string): string
  /** The value of a cookie of the request; undefined when the browser sent none. */
  cookie(name: CookieName): string | undefined
  /** The session of the browser, which is read once. @returns undefined when nobody is logged in */
  browser(): Promise<BrowserSession | undefined>
}

/** Finds the request that a page carries along. @returns undefined when it carries none, or one that is too old */
export type AskedOf = (visit: Pick<Visit, 'input' | 'cookie'>) => SignInRequest | undefined

/** The content of one page. */
export interface View {
  title: string
  content: ComponentChildren
  /** 200 by default. A form that is shown again has the status of the refusal. */
  status?: number
  /** The origin or scheme, beside https, to which the answer to a form of this page may lead; see `policyWith`. */
  formAction?: string | undefined
  cookies?: readonly CookieChange[]
  script?: ScriptName
}

/** The refusal of a form, for the page that shows the form again. */
export interface FormProblem {
  code: KeywardError['code']
  /** The fields that are refused. */
  errors: readonly FieldError[]
  /** The text above the form; undefined when the refusal names a field. */
  notice: Saying | undefined
}

export interface Submission {
  /**
   * Does what the form asks for.
   * @returns the page to which the browser goes next, such as `/reset?done`; a page without a redirect; or an answer
   *   that is no page, such as a file
   */
  act(visit: Visit): Promise<string | Next | View | Response>
  /**
   * Shows the form again after a refusal of `act`.
   * @returns undefined for a page that says only the refusal
   */
  again(visit: Visit, problem: FormProblem): Promise<View | undefined>
}

/** Makes pages out of views: chooses the language, sets the headers, shows refusals, and checks the origin of forms. */
export interface Pages {
  /** False where PUBLIC_URL is http and not of this machine. Then no page that needs a cookie exists. */
  mayUseCookies: boolean
  /**
   * Answers a GET. It must change nothing: mail scanners open every link of a mail.
   * @param askedOf for a page that carries a request in another way than in the parameter `request`
   */
  show(
    request: Request,
    view: (visit: Visit) => View | Next | Promise<View | Next>,
    askedOf?: AskedOf,
  ): Promise<Response>
  /** Answers a POST. A form of another origin is refused before it is read. */
  submit(request: Request, submission: Submission, askedOf?: AskedOf): Promise<Response>
  /**
   * Makes the HTML page of a refusal, with the status and the headers of `answer`, its problem document. The pipeline
   * calls it for every refusal of a page.
   * @returns `answer` itself when it is a page already, when the client takes no HTML, or for the style sheet
   */
  refusal(request: Request, refusal: KeywardError, answer: Response): Response
  /** The style sheet, a script, or the logo. @returns undefined for another name than those of this version */
  file(name: string): Response | undefined
}

/** The beginning of the paths of the files that pages load. */
const files = '/pages/'

/**
 * Makes the pages of a service.
 * @throws LogoError when BRAND_LOGO cannot be used
 */
export function createPages({ log, publicUrl, app, support, appUrl, signIn, ...brand }: PagesNeeds): Pages {
  const origin = new URL(publicUrl).origin
  const logo = brand.logo === undefined ? undefined : readLogo(brand.logo)
  const style = brand.color === undefined ? baseStyle : baseStyle + brandStyle(brand.color)
  // The name of the style sheet has the hash of its content, so browsers keep it until the content changes.
  const styleName = `style-${toBase64Url(sha256(style)).slice(0, 16)}.css`
  const cookies = createCookies(publicUrl)

  const carried: AskedOf = ({ input, cookie }) =>
    input.request === undefined ? undefined : signIn.open(input.request, cookie('form'))

  const headerOf = ({ headers }: Request) => headers.get('accept-language')

  /** The visit of a request whose input is not read yet. */
  function arriving(request: Request): Visit {
    const locale = exchangeOf(request)?.language ?? languageOfHeader(headerOf(request))
    const from = pathOf(request.url)
    const link = (path: string) => locationFrom(from, path)
    const cookie = (name: CookieName) => cookies.read(request, name)
    let read: Promise<BrowserSession | undefined> | undefined
    const browser = () => {
      read ??= Promise.resolve(signIn.browserOf(cookie('session')))
      return read
    }
    return { request, locale, texts: kitTexts[locale], app, appUrl, input: {}, link, cookie, browser }
  }

  /** The visit with its input, in the language that this decides. */
  async function filled(visit: Visit, input: Visit['input'], askedOf: AskedOf): Promise<Visit> {
    const { request, cookie, browser } = visit
    const asked = askedOf({ input, cookie })
    const locale = await languageOf({ input, asked, browser, header: headerOf(request) })
    const exchange = exchangeOf(request)
    if (exchange) exchange.language = locale
    return { ...visit, input, locale, texts: kitTexts[locale] }
  }

  const putCookies = (headers: Headers, changes: readonly CookieChange[] = []) => {
    for (const change of changes) headers.append('set-cookie', cookies.header(change))
  }

  function goTo({ link }: Visit, { next, cookies: changes }: Next): Response {
    const headers = new Headers({ location: next.startsWith('/') ? link(next) : checkedAddress(next) })
    putCookies(headers, changes)
    return new Response(null, { status: 303, headers })
  }

  function answer(visit: Visit, view: View, more: Iterable<[string, string]> = []): Response {
    const { locale, texts, link } = visit
    const { title, content, status = 200, formAction, cookies: changes, script } = view
    const windowTitle = status < 400 ? title : texts.titleWithError(title)
    const shown = { title, windowTitle, app, support, logo: logo && link(files + logo.name) }
    const props = {
      locale,
      texts,
      ...shown,
      style: link(files + styleName),
      script: script && link(files + scriptFile(script)),
    }
    const headers = new Headers([...more])
    headers.set('content-type', 'text/html; charset=utf-8')
    headers.set('content-security-policy', policyOf({ formAction, script }))
    headers.set('permissions-policy', permissions)
    putCookies(headers, changes)
    headers.set('content-language', locale)
    headers.set('vary', 'Accept-Language')
    // A browser application may sign people in in a popup. With this header, the application would wait for ever: the
    // page to which the popup returns could not reach the window that opened it.
    if (formAction === undefined) headers.set('cross-origin-opener-policy', 'same-origin')
    return new Response(documentOf({ ...props, children: content }), { status, headers })
  }

  /**
   * Logs a refusal as every route does. The answer is `view`, with the status and the headers of the refusal, such as
   * `Retry-After`; without a view it is the problem document, of which the pipeline makes a page.
   */
  function refused(visit: Visit, error: unknown, view?: View): Response {
    const problem = refuse(log, error, exchangeOf(visit.request))
    return view ? answer(visit, { ...view, status: problem.status }, problem.headers) : problem
  }

  /**
   * The page that shows only a refusal. After a POST it has no link: with the back button, a browser keeps the input.
   */
  function sayingOf(visit: Visit, refusal: KeywardError): View {
    const { request, texts, link } = visit
    const { title, text } = problemOf(refusal, visit)
    const again = request.method === 'GET' && refusal.status >= 500
    return {
      title,
      content: (
        <>
          <p>{text}</p>
          {again && (
            <p>
              <a href={link(targetOf(request.url))}>{texts.again}</a>
            </p>
          )}
        </>
      ),
    }
  }

  return {
    mayUseCookies: mayUseCookies(publicUrl),
    async show(request, view, askedOf = carried) {
      let visit = arriving(request)
      try {
        visit = await filled(visit, queryOf(request), askedOf)
        const shown = await view(visit)
        return 'next' in shown ? goTo(visit, shown) : answer(visit, shown)
      } catch (error) {
        return refused(visit, error)
      }
    },
    async submit(request, { act, again }, askedOf = carried) {
      let visit = arriving(request)
      try {
        requireSameOrigin(request, origin)
        visit = await filled(visit, await readForm(request), askedOf)
        try {
          const done = await act(visit)
          if (done instanceof Response) return done
          if (typeof done === 'string') return goTo(visit, { next: done })
          return 'next' in done ? goTo(visit, done) : answer(visit, done)
        } catch (error) {
          const refusal = asRefusal(error)
          if (refusal.code === 'internal') throw error
          const errors = refusal.errors ?? []
          const notice = errors.length > 0 ? undefined : problemOf(refusal, visit)
          return refused(
            visit,
            error,
            await again({ ...arriving(request), input: visit.input }, { code: refusal.code, errors, notice }),
          )
        }
      } catch (error) {
        return refused(visit, error)
      }
    },
    refusal(request, refusal, problem) {
      const { status, headers } = problem
      const isPage = headers.get('content-type') !== problemType(false)
      if (isPage || pathOf(request.url).startsWith(files) || !takesHtml(request.headers.get('accept'))) return problem
      const visit = arriving(request)
      return answer(visit, { ...sayingOf(visit, refusal), status }, headers)
    },
    file(name) {
      if (logo && name === logo.name) return answerLogo(logo)
      if (name === styleName) return fileOf(style, 'text/css')
      const script = scriptFiles.get(name)
      return script === undefined ? undefined : fileOf(script, 'text/javascript')
    },
  }
}

const fileOf = (text: string, type: string): Response =>
  new Response(text, {
    headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'public, max-age=31536000, immutable' },
  })
