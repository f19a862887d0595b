import manifest from '../../../package.json' with { type: 'json' }
import accounts from './guide/accounts.md' with { type: 'file' }
import administration from './guide/administration.md' with { type: 'file' }
import browserApps from './guide/browser-apps.md' with { type: 'file' }
import registered from './guide/clients.md' with { type: 'file' }
import clients from './guide/clients-and-tokens.md' with { type: 'file' }
import commands from './guide/command-line.md' with { type: 'file' }
import mail from './guide/mail.md' with { type: 'file' }
import metrics from './guide/metrics.md' with { type: 'file' }
import movingIn from './guide/moving-in.md' with { type: 'file' }
import pages from './guide/pages.md' with { type: 'file' }
import services from './guide/protecting-services.md' with { type: 'file' }
import quickStart from './guide/quick-start.md' with { type: 'file' }
import index from './guide/README.md' with { type: 'file' }
import running from './guide/running.md' with { type: 'file' }
import secondFactors from './guide/second-factors.md' with { type: 'file' }
import security from './guide/security.md' with { type: 'file' }
import sessions from './guide/sessions.md' with { type: 'file' }
import settings from './guide/settings.md' with { type: 'file' }
import signIn from './guide/sign-in-with-keyward.md' with { type: 'file' }
import socialLogin from './guide/social-login.md' with { type: 'file' }
import { icon } from './page.ts'

/**
 * The paths of the chapters' Markdown files, in reading order. A key is the last segment of the address of the page;
 * the key of the index is empty.
 */
export const chapterFiles: Readonly<Record<string, string>> = {
  '': index,
  'quick-start': quickStart,
  'clients-and-tokens': clients,
  'browser-apps': browserApps,
  sessions,
  accounts,
  'social-login': socialLogin,
  'second-factors': secondFactors,
  pages,
  'sign-in-with-keyward': signIn,
  'protecting-services': services,
  settings,
  'command-line': commands,
  administration,
  clients: registered,
  running,
  mail,
  metrics,
  security,
  'moving-in': movingIn,
}

/**
 * The Content-Security-Policy of the guide, whose pages have no scripts. `data:` allows the icon of the browser tab.
 */
export const guideSecurityPolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

interface Chapter {
  name: string
  /** The text of the chapter's heading of the first level. */
  title: string
  html: string
}

/** Reads and renders the guide. The HTML is not sanitized, because the Markdown files are part of Keyward. */
export const readChapters = (): Promise<Chapter[]> =>
  Promise.all(
    Object.entries(chapterFiles).map(async ([name, path]) => {
      const text = await Bun.file(path).text()
      const [, title = ''] = /^# (.+)$/m.exec(text) ?? []
      return { name, title, html: rendered(text) }
    }),
  )

/**
 * Makes a page of the guide. All links are relative, so the page also works when a proxy adds a path prefix.
 * @param style the address of the stylesheet, relative to the page
 */
export function guidePage(name: string, chapters: readonly Chapter[], style: string): string {
  const at = chapters.findIndex((chapter) => chapter.name === name)
  const { title, html } = chapters[at]!
  const link = (chapter: Chapter | undefined, words: string) =>
    chapter ? `<a href="${address(chapter.name)}">${words} ${chapter.title}</a>` : ''
  const entries = chapters.map((chapter) => {
    const here = chapter.name === name ? ' aria-current="page"' : ''
    return `<li><a href="${address(chapter.name)}"${here}>${chapter.name === '' ? 'Contents' : chapter.title}</a></li>`
  })
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${name === '' ? title : `${title} – Keyward guide`}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
    <link rel="stylesheet" href="${style}">
  </head>
  <body>
    <a class="skip" href="#text">Skip to the text</a>
    <header>
      <p><strong>Keyward</strong> ${manifest.version}</p>
      <a href="../../docs">API reference</a>
    </header>
    <div class="columns">
      <nav aria-label="Chapters"><ul>
        ${entries.join('\n        ')}
      </ul></nav>
      <main id="text" tabindex="-1">
${html}
        <nav class="turn" aria-label="Next and previous chapter">
          ${link(chapters[at - 1], '← ')}
          ${link(chapters[at + 1], '→ ')}
        </nav>
      </main>
    </div>
  </body>
</html>
`
}

const address = (chapter: string): string => (chapter === '' ? './' : chapter)

/**
 * Renders a chapter as HTML, and leaves out the comments of the Markdown. Headings of the second and third level get an
 * anchor. A link to the Markdown file of a chapter becomes a link to the page of this chapter. The keyboard can scroll
 * tables and code blocks.
 */
function rendered(markdown: string): string {
  const html = Bun.markdown.html(markdown, { headings: { ids: true } })
  return new HTMLRewriter()
    .on('h2, h3', {
      element(heading) {
        const id = heading.getAttribute('id')
        heading.append(` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`, { html: true })
      },
    })
    .on('a[href]', {
      element(link) {
        const [, file, fragment = ''] = /^([\w-]+)\.md(#.*)?$/.exec(link.getAttribute('href')!) ?? []
        if (file !== undefined) link.setAttribute('href', address(file === 'README' ? '' : file) + fragment)
      },
    })
    .on('table', {
      element(table) {
        table.before('<div class="scroll" role="group" aria-label="Table" tabindex="0">', { html: true })
        table.after('</div>', { html: true })
      },
    })
    .on('pre', {
      element(block) {
        block.setAttribute('tabindex', '0')
      },
    })
    .on('*', { comments: (comment) => void comment.remove() })
    .onDocument({ comments: (comment) => void comment.remove() })
    .transform(html)
}
