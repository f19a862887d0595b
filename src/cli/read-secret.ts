import { CommandError } from './context.ts'

/** The members of a terminal or pipe that `readSecret` uses. */
export interface SecretInput extends AsyncIterable<Uint8Array> {
  isTTY?: boolean
  setRawMode?(on: boolean): unknown
}

const END_OF_LINE = /[\r\n\x04]/
const CTRL_C = '\x03'
const BACKSPACE = /[\b\x7f]/

const AGAIN = 'The same again: '

/**
 * Reads a secret. At a terminal, shows a prompt, hides the typed text and asks twice, because nobody would see a
 * typing error in a new password. Otherwise, reads all of standard input and removes one line end from the end of the text, because
 * `echo` and editors add one.
 * @param options.once true to ask once at a terminal, for a secret that exists already
 * @returns undefined after Ctrl-C at the terminal
 * @throws CommandError when the two typed texts differ, or when standard input is not UTF-8. Replacing invalid bytes
 * would make different passwords equal
 */
export async function readSecret(
  input: SecretInput,
  prompt: string,
  write: (text: string) => void,
  { once = false }: { once?: boolean } = {},
): Promise<string | undefined> {
  if (!input.isTTY) {
    const chunks: Uint8Array[] = []
    for await (const chunk of input) chunks.push(chunk)
    return decode(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  }
  const typed = await typeHidden(input, prompt, { write, once })
  if (typed && typed[0] !== typed[1]) throw new CommandError('The two passwords differ; nothing was changed')
  return typed?.[0]
}

/**
 * Reads two texts from a terminal in one loop, because a stream cannot be read again after a loop over the stream has
 * ended. With `once`, the second text is the first.
 */
async function typeHidden(
  input: SecretInput,
  prompt: string,
  { write, once }: { write: (text: string) => void; once: boolean },
): Promise<[first: string, second: string] | undefined> {
  // Raw mode, which hides the typed text, begins before the prompt. Otherwise the first characters could be visible.
  input.setRawMode?.(true)
  try {
    write(prompt)
    let first: string | undefined
    let typed = ''
    const decoder = new TextDecoder()
    for await (const chunk of input) {
      for (const character of decoder.decode(chunk, { stream: true })) {
        if (character === CTRL_C) return undefined
        if (!END_OF_LINE.test(character)) {
          typed = BACKSPACE.test(character) ? [...typed].slice(0, -1).join('') : typed + character
        } else if (once) return [typed, typed]
        else if (first === undefined) {
          first = typed
          typed = ''
          write(`\n${AGAIN}`)
        } else return [first, typed]
      }
    }
    return [first ?? typed, typed]
  } finally {
    input.setRawMode?.(false)
    write('\n')
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CommandError('The password on standard input is not valid UTF-8', { cause })
  }
}
