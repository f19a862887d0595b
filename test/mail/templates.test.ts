import { describe, expect, test } from 'bun:test'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TemplateError } from '../../src/features/mail/mail.ts'
import { render } from '../../src/features/mail/render.ts'
import { createTemplates } from '../../src/features/mail/templates.ts'
import { keyward } from '../support/cli.ts'
import { scratchFolder } from '../support/scratch.ts'

function folderOf(files: Record<string, string>): string {
  const folder = scratchFolder('templates')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const brand = { app: 'Example', support: undefined }
const details = JSON.stringify({ username: '<ada>', time: 'today' })

describe('TEMPLATES_DIR', () => {
  test('13.3 replaces the text of one kind in one language, and no other', () => {
    const folder = folderOf({
      'password_changed.de.txt': 'Subject: Neues Passwort bei {{app}}\n\nHallo {{username}}, am {{time}}.\n',
      'password_changed.de.html': '<p>Hallo {{username}}</p>',
      'password_changed.fr.txt': 'Subject: Mot de passe\n\nBonjour {{username}}\n',
      '.keep': '',
    })
    const texts = createTemplates(folder)
    const german = render(texts, brand, { kind: 'password_changed', locale: 'de', details })
    expect(german).toEqual({
      subject: 'Neues Passwort bei Example',
      text: 'Hallo <ada>, am today.\n',
      html: '<p>Hallo &#60;ada&#62;</p>',
    })
    const french = render(texts, brand, { kind: 'password_changed', locale: 'fr', details })
    expect(french.html).toContain('Bonjour &#60;ada&#62;')
    expect(render(texts, brand, { kind: 'session_reused', locale: 'de', details }).subject).toContain('abgemeldet')
  })

  const good = 'Subject: x\n\ntext'
  for (const [what, files, message] of [
    ['an unknown kind', { 'passwort.de.txt': good }, 'passwort.de.txt: takes files such as password_changed.en.txt'],
    ['an unknown language', { 'test.xx.txt': good }, 'test.xx.txt: takes files'],
    ['another type', { 'test.en.md': good }, 'test.en.md: takes files'],
    ['HTML without text', { 'test.en.html': 'x' }, 'needs a text beside it, test.en.txt'],
    ['an unknown placeholder', { 'test.en.txt': `${good} {{link}}` }, '{{link}} is not known; takes {{app}}'],
    ['a text without its link', { 'reset_password.de.txt': good }, 'reset_password.de.txt: needs {{link}}'],
    [
      'HTML without its link',
      { 'reset_password.de.txt': `${good} {{link}}`, 'reset_password.de.html': 'x' },
      'reset_password.de.html: needs {{link}}',
    ],
    ['a mail to log in without its code', { 'log_in.en.txt': `${good} {{link}}` }, 'needs {{code}}'],
    ['a placeholder with spaces', { 'test.en.txt': `${good} {{ app }}` }, '{{ app }} is not known'],
    ['no subject', { 'test.en.txt': 'text' }, 'begins with the line "Subject: …"'],
    ['no text', { 'test.en.txt': 'Subject: x\n\n \n' }, 'begins with the line "Subject: …"'],
  ] as const)
    test(`13.3 with ${what} is refused at the start`, () => {
      expect(() => createTemplates(folderOf(files))).toThrow(TemplateError)
      expect(() => createTemplates(folderOf(files))).toThrow(message)
    })

  test('13.3 replaces the text of a mail with a link, which is escaped in HTML', () => {
    const folder = folderOf({
      'reset_password.en.txt': 'Subject: x\n\n{{link}} works for {{minutes}} minutes, until {{until}}',
      'reset_password.en.html': '<a href="{{link}}">x</a>',
    })
    const proof = { link: 'https://a.example/?kind=reset&token=kwm_x', minutes: '30', until: 'noon' }
    expect(render(createTemplates(folder), brand, { kind: 'reset_password', locale: 'en', details }, proof)).toEqual({
      subject: 'x',
      text: 'https://a.example/?kind=reset&token=kwm_x works for 30 minutes, until noon',
      html: '<a href="https://a.example/?kind=reset&#38;token=kwm_x">x</a>',
    })
  })

  test('13.3 that does not exist is refused at the start', () => {
    const folder = join(scratchFolder('templates'), 'none')
    expect(() => createTemplates(folder)).toThrow(
      `TEMPLATES_DIR ${folder} cannot be read: there is no such file or folder`,
    )
    mkdirSync(folder)
    expect(createTemplates(folder).find('test', 'en')).toBeUndefined()
  })

  test('13.3 with a file that cannot be read refuses the start, and says which file and why', async () => {
    const cases: [make: (path: string) => void, why: string][] = [
      [(path) => mkdirSync(path), 'cannot be read: it is a folder; name a file (EISDIR)'],
      [(path) => symlinkSync('nowhere', path), 'cannot be read: there is no such file or folder'],
      [(path) => symlinkSync('test.en.txt', path), 'cannot be read: the system refuses it (ELOOP)'],
      // The start does not wait for a writer.
      [(path) => Bun.spawnSync(['mkfifo', path]), 'is a named pipe; name a file'],
      [(path) => symlinkSync('/dev/zero', path), 'has more than 262144 bytes'],
      [(path) => writeFileSync(path, `${good}${'x'.repeat(262_144)}`), 'has more than 262144 bytes'],
      [(path) => writeFileSync(path, Buffer.from(`${good}\xff`, 'latin1')), 'is not UTF-8 text'],
    ]
    for (const [make, why] of cases) {
      const folder = scratchFolder('templates')
      const path = join(folder, 'test.en.txt')
      make(path)
      const databaseUrl = `sqlite:///${join(scratchFolder('database'), 'keyward.db')}`
      const env = {
        TEMPLATES_DIR: folder,
        PORT: '0',
        SMTP_URL: 'smtp://127.0.0.1:9?tls=none',
        MAIL_FROM: 'a@example.com',
      }
      const { code, err } = await keyward(['serve'], { databaseUrl, env })
      expect(code).not.toBe(0)
      expect(err).toContain(`${path} ${why}`)
      expect(err).not.toContain('unexpected')
    }
  })
})
