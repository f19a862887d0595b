import type { Letter } from './render.ts'

/**
 * Makes the HTML of a mail. The HTML has no image and loads nothing, so nobody can see whether a mail was opened. Its
 * only link is the link of a proof. Mail programs that ignore the style sheet show plain paragraphs.
 */
export function htmlOf({ locale, subject, greeting, before, action, code, facts, after, footer }: Letter): string {
  const paragraphs = (texts: readonly string[]) => texts.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')
  const list =
    facts.length === 0
      ? ''
      : `<table role="presentation">\n${facts.map(({ label, value }) => `<tr><td class="label">${escapeHtml(label)}</td><td>${escapeHtml(value)}</td></tr>`).join('\n')}\n</table>`
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(subject)}</h1>
${[paragraphs([greeting, ...before]), buttonOf(action), codeOf(code), list, paragraphs(after)].filter(Boolean).join('\n')}
<footer>
${paragraphs(footer)}
</footer>
</main>
</body>
</html>
`
}

/**
 * The address of the link is below the button as text, for mail programs that show no links, and for people who read
 * the address before they open it.
 */
function buttonOf(action: Letter['action']): string {
  if (!action) return ''
  const link = escapeHtml(action.link)
  return `<p><a class="button" href="${link}">${escapeHtml(action.button)}</a></p>
<p class="link">${link}</p>
<p>${escapeHtml(action.lifetime)}</p>`
}

const codeOf = (code: Letter['code']): string =>
  code ? `<p>${escapeHtml(code.intro)}</p>\n<p class="code">${escapeHtml(code.code)}</p>` : ''

const style = `
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px 12px; background: #f4f4f5; color: #18181b; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans JP", sans-serif; }
main { max-width: 560px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #e4e4e7; border-radius: 8px; }
html:lang(ja) { word-break: auto-phrase; }
h1 { margin: 0 0 16px; font-size: 20px; line-height: 1.3; text-wrap: balance; }
p { margin: 0 0 16px; overflow-wrap: anywhere; text-wrap: pretty; }
table { margin: 0 0 16px; border-collapse: collapse; }
td { padding: 4px 16px 4px 0; vertical-align: top; overflow-wrap: anywhere; }
.label { color: #52525b; white-space: nowrap; }
a.button { display: inline-block; padding: 12px 20px; border-radius: 6px; background: #1d4ed8; color: #ffffff; font-weight: 600; text-decoration: none; }
.link { font-size: 14px; color: #52525b; word-break: break-all; }
.code { font: 600 28px/1.2 ui-monospace, Menlo, Consolas, monospace; letter-spacing: 4px; }
footer { margin-top: 24px; padding-top: 16px; border-top: 1px solid #e4e4e7; color: #52525b; font-size: 14px; }
footer p { margin: 0 0 4px; }
@media (max-width: 480px) {
  main { padding: 20px 16px; }
  td { display: block; padding-right: 0; }
  td.label { padding-bottom: 0; }
}
@media (prefers-color-scheme: dark) {
  body { background: #18181b; color: #f4f4f5; }
  main { background: #27272a; border-color: #3f3f46; }
  .label, .link, footer { color: #a1a1aa; }
  a.button { background: #93c5fd; color: #18181b; }
  footer { border-color: #3f3f46; }
}
`

/** Makes text safe inside an element or a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
