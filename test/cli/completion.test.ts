import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyward } from '../support/cli.ts'
import { hasPrograms } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(30_000)

let folder: string
const script = (shell: string) => join(folder, shell)

beforeAll(async () => {
  folder = scratchFolder('completion')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out, err } = await keyward(['completion', shell], { databaseUrl: '' })
    expect([code, err]).toEqual([0, ''])
    writeFileSync(script(shell), out)
  }
  mkdirSync(join(folder, 'files'))
  for (const name of ['old users.db', 'old.env']) writeFileSync(join(folder, 'files', name), '')
})

/** What is typed, and the one line that a shell makes of it at Tab. `⇥` stands for Tab. */
const completed: [typed: string, result: string][] = [
  ['keyward us⇥', 'users'],
  ['keyward signing-keys ro⇥', 'signing-keys rotate'],
  ['keyward users list --sta⇥ina⇥', 'users list --state inactive'],
  ['keyward users list --state=ina⇥', 'users list --state=inactive'],
  ['keyward users list --search users --js⇥', 'users list --search users --json'],
  ['keyward users list --dev --json --ro⇥', 'users list --dev --json --role'],
  ['keyward mail list --state de⇥', 'mail list --state dead'],
  ['keyward audit list --event session.refresh_r⇥', 'audit list --event session.refresh_retried'],
  ['keyward roles create x --permissions audit:r⇥', 'roles create x --permissions audit:read'],
  ['keyward roles create x --permissions audit:read,users:w⇥', 'roles create x --permissions audit:read,users:write'],
  ['keyward backup files/old.e⇥', 'backup files/old.env'],
  ['keyward config --env-file files/old.e⇥', 'config --env-file files/old.env'],
  ['keyward completion fi⇥', 'completion fish'],
  ['./dist/keyward rol⇥gr⇥', 'roles grant'],
]

/** An interactive shell at a terminal, in which `keyward` prints its arguments. */
function openShell(command: string, setUp: string) {
  const child = Bun.spawn(['script', '--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8', PS1: '> ' },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let read = ''
  const answer = async (line: string, pattern: RegExp): Promise<string> => {
    read = ''
    child.stdin.write(`${line}\n`)
    await child.stdin.flush()
    for (;;) {
      const found = pattern.exec(read)
      if (found) return found[1]!.trim()
      const { value, done } = await reader.read()
      if (done) throw new Error(`the shell ended: ${read}`)
      read += value
    }
  }
  return {
    start: () => answer(setUp, /^(READY)\r?$/m),
    complete: (typed: string) => answer(typed.replaceAll('⇥', '\t'), /^RESULT (.*?)\r?$/m),
    async close() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

const define = (names: string) => `${names}() { printf 'RESULT %s\\n' "$*"; }`

const shells = [
  {
    shell: 'bash',
    command: 'bash --norc --noprofile -i',
    setUp: () => `${define('keyward')}; ${define('./dist/keyward')}; source ${script('bash')}; echo READ"Y"`,
  },
  {
    shell: 'zsh',
    command: 'zsh -f -i',
    setUp: () =>
      `autoload -U compinit; compinit -u -D; ${define('keyward ./dist/keyward')}; source ${script('zsh')}; compdef _keyward ./dist/keyward; echo READ"Y"`,
  },
]

describe.each(shells)('completion in an interactive $shell', ({ shell, command, setUp }) => {
  const isThere = hasPrograms('script', shell)
  let open: ReturnType<typeof openShell> | undefined
  beforeAll(async () => {
    if (!isThere) return
    open = openShell(command, setUp())
    await open.start()
  })
  afterAll(() => open?.close())

  test.skipIf(!isThere).each(completed)('14.3 %s', async (typed, result) => {
    expect(await open!.complete(typed)).toBe(result)
  })
})

describe('completion in bash', () => {
  /** The candidates that bash shows. */
  const candidates = (line: string, breaks = ' \t\n"\'><=;|&(:') => {
    const child = Bun.spawnSync(
      [
        'bash',
        '--norc',
        '-c',
        `source "$1"; compopt() { :; }; COMP_WORDBREAKS=$3; COMP_LINE=$2; COMP_POINT=\${#2}; _keyward; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        script('bash'),
        line,
        breaks,
      ],
      { cwd: join(folder, 'files'), stderr: 'pipe' },
    )
    expect(child.stderr.toString()).toBe('')
    return child.stdout.toString().split('\n').filter(Boolean)
  }

  test('14.3 offers commands, options, values and files, each at its place', () => {
    expect(candidates('keyward ')).toContain('serve')
    expect(candidates('keyward ')).not.toContain('keys')
    expect(candidates('keyward migrate ')).toEqual(['up', 'status'])
    expect(candidates('keyward sessions end --')).toEqual(['--all', '--yes', '--json', '--dev', '--env-file', '--help'])
    expect(candidates('keyward users list --state ')).toEqual(['active', 'inactive'])
    expect(candidates('keyward users list --search ')).toEqual([])
    expect(candidates('keyward users show ')).toEqual([])
    expect(candidates('keyward backup ')).toEqual(['old users.db', 'old.env'])
    expect(candidates('keyward nonsense ')).toEqual([])
    // Bash replaces only what follows the last ":" or "=".
    expect(candidates('keyward roles update x --permissions users:')).toEqual(['read', 'write'])
    expect(candidates('keyward roles update x --permissions users:', ' ')).toEqual(['users:read', 'users:write'])
    expect(candidates('keyward users list --state=')).toEqual(['active', 'inactive'])
  })
})

describe('completion in fish', () => {
  test.skipIf(!hasPrograms('fish'))('14.3 offers commands, options, values and files', () => {
    const candidates = (line: string) => {
      const child = Bun.spawnSync(
        ['fish', '--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script('fish'), line],
        {
          cwd: join(folder, 'files'),
          env: { PATH: process.env.PATH ?? '', HOME: folder },
          stderr: 'pipe',
        },
      )
      expect(child.stderr.toString()).toBe('')
      return child.stdout
        .toString()
        .split('\n')
        .map((one) => one.split('\t', 1)[0]!)
        .filter(Boolean)
    }
    expect(candidates('keyward us')).toEqual(['users'])
    expect(candidates('keyward migrate ').sort()).toEqual(['status', 'up'])
    expect(candidates('keyward users list --sta')).toEqual(['--state'])
    expect(candidates('keyward users list --state ')).toEqual(['active', 'inactive'])
    expect(candidates('keyward users list --search users --state=i')).toEqual(['--state=inactive'])
    expect(candidates('keyward users show ')).toEqual([])
    expect(candidates('keyward config --env-file old.')).toEqual(['old.env'])
    expect(candidates('keyward backup old.')).toEqual(['old.env'])
    expect(candidates('keyward completion ').sort()).toEqual(['bash', 'fish', 'zsh'])
  })
})

test('14.3 completion of an unknown shell is refused', async () => {
  const { code, err } = await keyward(['completion', 'bahs'], { databaseUrl: '' })
  expect([code, err]).toEqual([
    2,
    'SHELL takes one of bash, zsh, fish; did you mean bash?\nSee: keyward completion --help\n',
  ])
})
