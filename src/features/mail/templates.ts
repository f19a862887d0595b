import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemReason } from '../../lib/error-reasons.ts'
import { isLocale, type Locale, locales } from '../../lib/locale.ts'
import { readSmallFile } from '../../lib/small-file.ts'
import { escapeHtml } from './html.ts'
import { hasProof, isMailKind, type MailKind, mailKinds, mailProofs, proofValues } from './kinds.ts'
import { fill, type Values } from './placeholders.ts'

/** TEMPLATES_DIR or a file in it cannot be used. `message` names the path and the problem, for the terminal. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

type Own = (values: Values) => { subject: string; text: string; html: string }

/** The texts in TEMPLATES_DIR, which replace built-in texts. */
export interface Templates {
  /** @returns undefined when TEMPLATES_DIR has no text for this kind and language */
  find(kind: MailKind, locale: Locale): Own | undefined
}

/**
 * Reads the files of a folder: `<kind>.<language>.txt`, and for some of these texts `<kind>.<language>.html`. The first
 * line of a text is `Subject: …`, and the second is empty. A text without HTML is sent as HTML too, in one `<pre>`.
 * Names that begin with a dot are ignored.
 * @throws TemplateError for a folder or file that cannot be read, a text that is too large or not UTF-8, another name, an HTML file without a text, an
 *   unknown placeholder, a missing link or code, an empty text or a missing subject
 */
export function createTemplates(folder: string | undefined): Templates {
  const own = new Map<string, Own>()
  if (folder === undefined) return { find: () => undefined }
  const names = list(folder)
  for (const name of names) {
    const [kind = '', locale = '', type = ''] = name.split('.')
    if (!isMailKind(kind) || !isLocale(locale) || !(type === 'txt' || type === 'html') || name.split('.').length > 3)
      throw new TemplateError(
        `${join(folder, name)}: takes files such as password_changed.en.txt: one of ${Object.keys(mailKinds).join(', ')}; then ${locales.join(', ')}; then txt or html`,
      )
    if (type === 'html' && !names.includes(`${kind}.${locale}.txt`))
      throw new TemplateError(`${join(folder, name)}: needs a text beside it, ${kind}.${locale}.txt`)
  }
  for (const name of names.filter((name) => name.endsWith('.txt'))) {
    const [kind, locale] = name.split('.') as [MailKind, Locale, string]
    const htmlName = `${kind}.${locale}.html`
    const html = names.includes(htmlName) ? read(folder, htmlName, kind) : undefined
    own.set(`${kind}.${locale}`, ownText(join(folder, name), read(folder, name, kind), html))
  }
  return { find: (kind, locale) => own.get(`${kind}.${locale}`) }
}

function ownText(path: string, file: string, html: string | undefined): Own {
  const [, subject, text] = /^Subject: (.*\S.*)\r?\n\r?\n([\s\S]*\S[\s\S]*)$/.exec(file) ?? []
  if (subject === undefined || text === undefined)
    throw new TemplateError(`${path}: begins with the line "Subject: …" and an empty line; the text follows`)
  return (values) => {
    const filled = fill(text, values)
    return {
      subject: fill(subject, values),
      text: filled,
      html:
        html === undefined
          ? `<pre style="white-space:pre-wrap">${escapeHtml(filled)}</pre>`
          : fill(html, values, escapeHtml),
    }
  }
}

const everywhere = ['app', 'username', 'support']

/** The placeholder that a text of this kind must contain, because the mail is useless without this link or code. */
function needed(kind: MailKind): string | undefined {
  if (!hasProof(kind)) return undefined
  // A mail to log in has a link only with LOGIN_URL, and always a code. `none` has no link.
  return ['app', 'none'].includes(mailProofs[kind].page) ? 'code' : 'link'
}

/** The most bytes of a text. A mail is kept in memory, and mail servers refuse large mails. */
const MOST = 256 * 1024

function read(folder: string, name: string, kind: MailKind): string {
  const path = join(folder, name)
  const file = readSmallFile(path, MOST, { pipe: 'refuse' })
  if ('message' in file) throw new TemplateError(`${path} ${file.message}`)
  const { text } = file
  const allowed: readonly string[] = [...everywhere, ...mailKinds[kind], ...(hasProof(kind) ? proofValues : [])]
  for (const [placeholder, word = ''] of text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g))
    if (!allowed.includes(word) || placeholder !== `{{${word}}}`)
      throw new TemplateError(
        `${path}: ${placeholder} is not known; takes ${allowed.map((w) => `{{${w}}}`).join(', ')}`,
      )
  const missing = needed(kind)
  if (missing !== undefined && !text.includes(`{{${missing}}}`))
    throw new TemplateError(`${path}: needs {{${missing}}}`)
  return text
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new TemplateError(`TEMPLATES_DIR ${folder} cannot be read: ${systemReason(code)} (${code})`)
  }
}
