import theme from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import guideStyle from './page/guide.css' with { type: 'file' }
import style from './page/page.css' with { type: 'file' }
import script from './page/page.js' with { type: 'file' }

/** The name of a file in `docsFiles`. */
export type DocsFile = keyof typeof docsFiles

/**
 * The files that the pages load, by name: Swagger UI as published, Keyward's script and style for Swagger UI, and the
 * style of the guide. `path` is the path on disk or in the executable, `type` the media type.
 */
export const docsFiles = {
  'swagger-ui.css': { path: theme, type: 'text/css; charset=utf-8' },
  'page.css': { path: style, type: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': { path: bundle, type: 'text/javascript; charset=utf-8' },
  'guide.css': { path: guideStyle, type: 'text/css; charset=utf-8' },
  'page.js': { path: script, type: 'text/javascript; charset=utf-8' },
} as const

/**
 * Makes the API documentation page. All links are relative, so the page also works when a proxy adds a path prefix.
 * @param address returns the address of a file, relative to the page
 */
export const docsPage = (address: (file: DocsFile) => string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Keyward API</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
    <link rel="stylesheet" href="${address('swagger-ui.css')}">
    <link rel="stylesheet" href="${address('page.css')}">
  </head>
  <body>
    <nav class="guide-link"><a href="docs/guide/">Guide</a></nav>
    <noscript>This page needs JavaScript. The document it shows is <a href="openapi.json">openapi.json</a>.</noscript>
    <main id="docs"></main>
    <script src="${address('swagger-ui-bundle.js')}"></script>
    <script src="${address('page.js')}"></script>
  </body>
</html>
`

/** The icon of the browser tab: a key. */
export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#3b7dd8" stroke-width="2"><circle cx="5" cy="8" r="3"/><path d="M8 8h7v3M12 8v2"/></svg>'

/** The Content-Security-Policy of `/docs`. It allows only what the page needs, and never `'unsafe-inline'`. */
export const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
