import { join } from 'node:path'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { configTable } from '../../src/config/print.ts'
import { chapterFiles } from '../../src/features/documentation/guide.ts'
import { createTestApp } from './app.ts'
import { everyCommand, runBinary } from './binary.ts'
import { closeScratch } from './scratch.ts'

const root = join(import.meta.dir, '..', '..')

/** README, or a chapter of the guide. */
export interface Document {
  /** `README`, or the chapter's address below `/docs/guide/`. */
  name: string
  path: string
  text: string
}

/** The documents for users: README and the chapters of the guide. */
export const readDocuments = (): Promise<Document[]> =>
  Promise.all(
    Object.entries({ README: join(root, 'README.md'), ...chapterFiles }).map(async ([name, path]) => ({
      name: name === '' ? 'guide' : name,
      path,
      text: await Bun.file(path).text(),
    })),
  )

/** The text of one chapter. */
export const readChapter = (name: string): Promise<string> => Bun.file(chapterFiles[name]!).text()

export interface Block {
  language: string
  text: string
  /** The heading above it, with its number below that heading. */
  title: string
}

/** The fenced blocks of a Markdown text, in order. */
export function blocksOf(markdown: string): Block[] {
  let heading = ''
  let number = 0
  return [...markdown.matchAll(/^#+ ([^\n]+)$|^```(\w*)\n(.*?)\n```$/gms)].flatMap(([, title, language, text]) => {
    if (title !== undefined) {
      heading = title
      number = 0
      return []
    }
    return [
      { language: language ?? '', text: text ?? '', title: `${heading} ${++number}${language ? `, ${language}` : ''}` },
    ]
  })
}

/**
 * An answer in the form that a document shows, indented. Where the document has a time or a text that ends in `…`, the
 * answer may have any time, or any text with that beginning; everything else is unchanged.
 */
export function jsonAsShown(answer: string, shown: string): string {
  const mended = (actual: unknown, example: unknown): unknown => {
    if (typeof actual === 'string' && typeof example === 'string') return isLike(actual, example) ? example : actual
    // Seconds since 1970 are times too.
    if (typeof actual === 'number' && typeof example === 'number')
      return Math.min(actual, example) > 1_700_000_000 ? example : actual
    if (typeof actual !== 'object' || typeof example !== 'object' || !actual || !example) return actual
    if (Array.isArray(actual)) return actual.map((one, index) => mended(one, (example as unknown[])[index]))
    const members = Object.entries(actual)
    return Object.fromEntries(
      members.map(([key, value]) => [key, mended(value, (example as typeof actual)[key as never])]),
    )
  }
  return JSON.stringify(mended(JSON.parse(answer), JSON.parse(shown)), null, 2)
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

const isLike = (actual: string, example: string): boolean =>
  example.endsWith('…')
    ? actual.startsWith(example.slice(0, -1)) && actual.length >= example.length
    : TIME.test(actual) && TIME.test(example)

export interface Shell {
  /** Runs a script; its variables exist for the next one. `stdout` is its output without errors. */
  run(script: string): Promise<{ code: number; stdout: string }>
  close(): Promise<void>
}

/** One bash for several scripts, as for a reader who pastes one after the other. */
export function openShell(cwd: string): Shell {
  const bash = Bun.spawn(['bash', '--norc', '--noprofile'], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const reader = bash.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let read = ''
  return {
    async run(script) {
      // bash reads its commands from standard input: a program in the script must not consume them.
      bash.stdin.write(`{ :\n${script}\n} </dev/null\necho "${END}$?"\n`)
      await bash.stdin.flush()
      for (;;) {
        const end = new RegExp(`${END}(\\d+)\\n`).exec(read)
        if (end) {
          const stdout = read.slice(0, end.index)
          read = read.slice(end.index + end[0].length)
          return { code: Number(end[1]), stdout }
        }
        const { value, done } = await reader.read()
        if (done) throw new Error(`the shell ended: ${read}`)
        read += value
      }
    },
    async close() {
      bash.kill('SIGKILL')
      await bash.exited
    },
  }
}

const END = '--- the end of this block, with exit code '

/** The generated tables, each between `<!-- name -->` and `<!-- /name -->` in a chapter of the guide. */
export async function madeParts(): Promise<Record<'commands' | 'exits' | 'settings' | 'metrics', string>> {
  return { commands: await commandTable(), exits: exitTable(), settings: configTable(), metrics: await metricTable() }
}

/** Finds the text between the two comments of a generated table. */
export const partPattern = (name: string): RegExp => new RegExp(`(?<=<!-- ${name} -->\\n).*?(?=<!-- /${name} -->)`, 's')

/** Every command, with the first sentence of its help. */
async function commandTable(): Promise<string> {
  const rows = await Promise.all(
    (await everyCommand()).map(async (command) => {
      const { stdout } = await runBinary([...command.split(' '), '--help'])
      const sentence = stdout.slice(0, stdout.indexOf('.\n\n')).replaceAll('\n', ' ')
      return `| \`keyward ${command}\` | ${cell(sentence)} |`
    }),
  )
  return table(['| command | what it does |', '| --- | --- |', ...rows])
}

/** Every exit code of a command. */
const exitTable = (): string =>
  table([
    '| status | meaning |',
    '| --- | --- |',
    ...Object.entries(exitCodes).map(([code, text]) => `| \`${code}\` | ${cell(text)} |`),
  ])

/** Every metric of a service that has answered, refused and logged in. */
async function metricTable(): Promise<string> {
  const token = 'scrape-only-9f2m4x8q'
  const app = await createTestApp({ env: { METRICS_TOKEN: token } })
  await app.signUp()
  await app.request('GET', '/users/me')
  const text = await (await app.request('GET', '/metrics', { token })).text()
  await app.close()
  const rows = [...text.matchAll(/^# HELP (\w+) (.*)\n# TYPE \1 (\w+)\n(.*)$/gm)].map(
    ([, name, help, type, sample]) => {
      const labels = [...sample!.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((label) => label !== 'le')
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${cell(help!)} |`
    },
  )
  return table(['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows])
}

const table = (rows: string[]): string => `${rows.join('\n')}\n`
const cell = (text: string): string => text.replaceAll('|', '\\|')

/** Replaces the text between the comments of a part. */
export const withPart = (text: string, name: string, part: string): string =>
  text.replace(partPattern(name), () => `\n${part}\n`)

if (import.meta.main) {
  const parts = Object.entries(await madeParts())
  for (const { path, text } of await readDocuments()) {
    const renewed = parts.reduce((before, [name, part]) => withPart(before, name, part), text)
    if (renewed !== text) await Bun.write(path, renewed)
  }
  await closeScratch()
}
