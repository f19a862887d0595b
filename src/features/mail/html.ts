import type { Letter } from './render.ts'

/**
 * Makes the HTML of a mail. The HTML has no image and loads nothing, so nobody can see whether a mail was opened. Mail
 * programs that ignore the style sheet show plain paragraphs.
 */
export function htmlOf({ locale, subject, greeting, before, facts, after, footer }: Letter): string {
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
${[paragraphs([greeting, ...before]), list, paragraphs(after)].filter(Boolean).join('\n')}
<footer>
${paragraphs(footer)}
</footer>
</main>
</body>
</html>
`
}

const style = `
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px 12px; background: #f4f4f5; color: #18181b; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans JP", sans-serif; }
main { max-width: 560px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #e4e4e7; border-radius: 8px; }
h1 { margin: 0 0 16px; font-size: 20px; line-height: 1.3; }
p { margin: 0 0 16px; overflow-wrap: anywhere; }
table { margin: 0 0 16px; border-collapse: collapse; }
td { padding: 4px 16px 4px 0; vertical-align: top; overflow-wrap: anywhere; }
.label { color: #52525b; white-space: nowrap; }
footer { margin-top: 24px; padding-top: 16px; border-top: 1px solid #e4e4e7; color: #52525b; font-size: 14px; }
footer p { margin: 0 0 4px; }
@media (prefers-color-scheme: dark) {
  body { background: #18181b; color: #f4f4f5; }
  main { background: #27272a; border-color: #3f3f46; }
  .label, footer { color: #a1a1aa; }
  footer { border-color: #3f3f46; }
}
`

/** Makes text safe inside an element or a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
