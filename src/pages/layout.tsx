import type { ComponentChildren } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Locale } from '../lib/locale.ts'
import type { KitTexts } from './texts/text.ts'

export interface LayoutProps {
  locale: Locale
  texts: KitTexts
  /** The heading of the page. */
  title: string
  /** The title of the window; by default the heading. */
  windowTitle?: string
  /** The name of the service (APP_NAME). */
  app: string
  /** The address of the logo (BRAND_LOGO), relative to the page. */
  logo: string | undefined
  /** The address for questions (SUPPORT_EMAIL). */
  support: string | undefined
  /** The address of the style sheet, relative to the page. */
  style: string
  /** The address of a script file, for the few pages that load one. */
  script: string | undefined
  children: ComponentChildren
}

const Layout = ({
  locale,
  texts,
  title,
  windowTitle = title,
  app,
  logo,
  support,
  style,
  script,
  children,
}: LayoutProps) => (
  <html lang={locale}>
    <head>
      <meta charset="utf-8" />
      <title>{`${windowTitle} · ${app}`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <link rel="icon" href={icon} />
      <link rel="stylesheet" href={style} />
      {script && <script src={script} defer />}
    </head>
    <body>
      <header>
        <p>
          {logo && <img src={logo} alt="" />}
          {app}
        </p>
      </header>
      <main>
        <h1>{title}</h1>
        {children}
      </main>
      {support && (
        <footer>
          <p>
            {texts.support.before}
            <a href={`mailto:${support}`}>{support}</a>
            {texts.support.after}
          </p>
        </footer>
      )}
    </body>
  </html>
)

/** Makes the HTML document of a page. Everything that is not markup of a component is escaped. */
export const documentOf = (props: LayoutProps): string => `<!doctype html>\n${renderToString(<Layout {...props} />)}\n`

/** The icon of the browser tab: a key. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#3b7dd8" stroke-width="2"><circle cx="5" cy="8" r="3"/><path d="M8 8h7v3M12 8v2"/></svg>',
)}`
