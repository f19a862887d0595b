import { join } from 'node:path'
import { configTable } from '../../src/config/print.ts'
import { everyCommand, runBinary } from './binary.ts'
import { closeScratch } from './scratch.ts'

export interface Block {
  language: string
  text: string
  /** The heading it stands under, with its number there. */
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

export interface Shell {
  /** Runs a script; variables that it sets are there for the next. `stdout` is what it printed, without errors. */
  run(script: string): Promise<{ code: number; stdout: string }>
  close(): Promise<void>
}

/** One bash for several scripts, as somebody who pastes them one after the other has it. */
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
      // Its standard input is ours: a program in the script must not read the next one from it.
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

/** The parts of README that are made, each between `<!-- name -->` and `<!-- /name -->`. */
export async function madeParts(): Promise<Record<'commands' | 'settings', string>> {
  return { commands: await commandTable(), settings: configTable() }
}

/** What stands between the two comments of a made part. */
export const partPattern = (name: string): RegExp => new RegExp(`(?<=<!-- ${name} -->\\n).*?(?=<!-- /${name} -->)`, 's')

/** Every command, with the sentence that begins its help. */
async function commandTable(): Promise<string> {
  const rows = await Promise.all(
    (await everyCommand()).map(async (command) => {
      const { stdout } = await runBinary([...command.split(' '), '--help'])
      const sentence = stdout.slice(0, stdout.indexOf(` (keyward ${command}`))
      return `| \`keyward ${command}\` | ${sentence.replaceAll('|', '\\|')} |`
    }),
  )
  return `${['| command | what it does |', '| --- | --- |', ...rows].join('\n')}\n`
}

if (import.meta.main) {
  const path = join(import.meta.dir, '..', '..', 'README.md')
  let text = await Bun.file(path).text()
  for (const [name, part] of Object.entries(await madeParts()))
    text = text.replace(partPattern(name), () => `\n${part}\n`)
  await Bun.write(path, text)
  await closeScratch()
}
