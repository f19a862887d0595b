import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { readSecret, type SecretInput } from '../../src/cli/read-secret.ts'
import { testSecret } from '../support/app.ts'
import { binaryPath, runBinary } from '../support/binary.ts'
import { migrated } from '../support/cli.ts'
import { hasPythonModules, PYTHON } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

async function* chunksOf(chunks: Uint8Array[]) {
  yield* chunks
}

const piped = (...chunks: Uint8Array[]): SecretInput => chunksOf(chunks)

function terminal(...chunks: Uint8Array[]): SecretInput & { modes: boolean[] } {
  const modes: boolean[] = []
  return Object.assign(chunksOf(chunks), {
    isTTY: true,
    modes,
    setRawMode: (on: boolean) => modes.push(on),
  })
}

const read = async (input: SecretInput) => {
  let written = ''
  const secret = await readSecret(input, 'Password: ', (text) => {
    written += text
  })
  return { secret, written }
}

describe('a password from standard input', () => {
  test.each([
    ['as it is', 'secret', 'secret'],
    ['without the newline of echo', 'secret\n', 'secret'],
    ['without the newline of Windows', 'secret\r\n', 'secret'],
    ['without only one newline', 'secret\n\n', 'secret\n'],
    ['with the rest of a mixed line end', 'secret\n\r\n', 'secret\n'],
    ['with a lone carriage return', 'secret\r', 'secret\r'],
    ['with spaces around', '  secret \t\n', '  secret \t'],
    ['with a newline inside', 'one\ntwo\n', 'one\ntwo'],
    ['that is empty', '', ''],
    ['that is a newline', '\n', ''],
  ])('is taken %s', async (_, given, taken) => {
    expect(await read(piped(bytes(given)))).toEqual({ secret: taken, written: '' })
  })

  test('may arrive in chunks that split a character', async () => {
    const all = bytes('pässwörd😀\n')
    expect((await read(piped(...[...all].map((one) => Uint8Array.of(one))))).secret).toBe('pässwörd😀')
  })

  test('is refused when it is not UTF-8: two passwords must not become equal', async () => {
    await expect(read(piped(Uint8Array.of(0x70, 0xff, 0x0a)))).rejects.toThrow('not valid UTF-8')
  })

  test('reaches the executable through a real pipe', async () => {
    const env = {
      DATABASE_URL: `sqlite:///${join(scratchFolder('cli'), 'k.db')}`,
      SECRET_KEY: testSecret,
      BCRYPT_COST: '4',
    }
    await migrated(env.DATABASE_URL)
    const child = Bun.spawn(
      [await binaryPath(), 'users', 'create', '--email', 'ada@example.com', '--username', 'ada', '--dev'],
      { env, cwd: scratchFolder('cwd'), stdin: bytes('correct horse battery\n'), stdout: 'pipe', stderr: 'pipe' },
    )
    expect([await child.exited, await child.stderr.text()]).toEqual([0, ''])
    expect(await child.stdout.text()).toStartWith('Created')
    const nothing = await runBinary(['users', 'set-password', 'ada', '--dev'], { env })
    expect([nothing.exitCode, nothing.stderr]).toEqual([1, expect.stringMatching(/^password: /)])
  })
})

describe('a password typed at a terminal', () => {
  test('is asked for only after the terminal hides typed text', async () => {
    const steps: unknown[] = []
    const input = Object.assign(chunksOf([bytes('sec'), bytes('ret'), bytes('\rsecret'), bytes('\r')]), {
      isTTY: true,
      setRawMode: (on: boolean) => steps.push(on),
    })
    expect(await readSecret(input, 'Password: ', (text) => steps.push(text))).toBe('secret')
    expect(steps).toEqual([true, 'Password: ', '\nThe same again: ', false, '\n'])
  })

  test('can be corrected, one character at a time', async () => {
    expect((await read(terminal(bytes('sx\x7fecre😀\x7ft\rsecret\r')))).secret).toBe('secret')
    expect((await read(terminal(bytes('\x7f\bab\b\ra\r')))).secret).toBe('a')
  })

  test('ends with Ctrl-D or the end of the input as well', async () => {
    expect((await read(terminal(bytes('secret\x04secret\x04more')))).secret).toBe('secret')
    expect((await read(terminal(bytes('secret\rsecret')))).secret).toBe('secret')
  })

  test('12.D5 is typed twice, and refused if the texts differ', async () => {
    const input = terminal(bytes('secret\rsecert\r'))
    await expect(read(input)).rejects.toThrow('The two passwords differ; nothing was changed')
    expect(input.modes).toEqual([true, false])
  })

  test('is cancelled with Ctrl-C, and the terminal shows typed text again', async () => {
    const input = terminal(bytes('sec\x03ret\r'))
    expect((await read(input)).secret).toBeUndefined()
    expect(input.modes).toEqual([true, false])
  })

  test.skipIf(!hasPythonModules('pty'))('is hidden at a real terminal, which is restored afterwards', async () => {
    const env = {
      DATABASE_URL: `sqlite:///${join(scratchFolder('cli'), 'k.db')}`,
      SECRET_KEY: testSecret,
      BCRYPT_COST: '4',
    }
    await migrated(env.DATABASE_URL)
    const command = [await binaryPath(), 'users', 'create', '--email', 'ada@example.com', '--username', 'ada', '--dev']
    const child = Bun.spawn([PYTHON, '-c', AT_A_TERMINAL, ...command], { env, stdout: 'pipe', stderr: 'pipe' })
    const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
    expect([code, err]).toEqual([0, ''])
    const { shown, exit, echo } = JSON.parse(out) as { shown: string; exit: number; echo: boolean }
    expect(shown).toMatch(/^Password: \r\nThe same again: \r\nCreated ada /)
    expect(shown).not.toContain('horse')
    expect([exit, echo]).toEqual([0, true])
  })
})

/** Runs a command at a new terminal and types a password at the prompt. Prints the visible text and whether echo is on. */
const AT_A_TERMINAL = `
import json, os, pty, sys, termios
main, side = pty.openpty()
child = os.fork()
if child == 0:
    os.setsid()
    for number in (0, 1, 2): os.dup2(side, number)
    os.execv(sys.argv[1], sys.argv[1:])
shown = b''
while b'Password: ' not in shown: shown += os.read(main, 1024)
os.write(main, b'correct horse battery\\r')
while b'again: ' not in shown: shown += os.read(main, 1024)
os.write(main, b'correct horse battery\\r')
_, status = os.waitpid(child, 0)
echo = bool(termios.tcgetattr(side)[3] & termios.ECHO)
os.set_blocking(main, False)
while True:
    try: piece = os.read(main, 1024)
    except BlockingIOError: break
    if not piece: break
    shown += piece
print(json.dumps({'shown': shown.decode(), 'exit': os.waitstatus_to_exitcode(status), 'echo': echo}))
`
