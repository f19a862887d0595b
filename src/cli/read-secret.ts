import { CommandError } from './context.ts'

/** The part of a terminal or pipe that `readSecret` uses. */
export interface SecretInput extends AsyncIterable<Uint8Array> {
  isTTY?: boolean
  setRawMode?(on: boolean): unknown
}

const END_OF_LINE = /[\r\n\x04]/
const CTRL_C = '\x03'
const BACKSPACE = /[\b\x7f]/

const AGAIN = 'The same again: '

/**
 * Reads a new password. At a terminal, shows a prompt and hides the typed text. It asks twice, because a mistake in
 * hidden text would be stored. Otherwise, reads all of standard input and removes one newline at its end, because
 * `echo` and editors add a newline.
 * @returns undefined after Ctrl-C at the terminal
 * @throws CommandError if the two typed texts differ, or if standard input is not UTF-8. Replacing invalid bytes would
 *   make different passwords equal.
 */
export async function readSecret(
  input: SecretInput,
  prompt: string,
  write: (text: string) => void,
): Promise<string | undefined> {
  if (!input.isTTY) {
    const chunks: Uint8Array[] = []
    for await (const chunk of input) chunks.push(chunk)
    return decode(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  }
  const typed = await typeTwice(input, prompt, write)
  if (typed && typed[0] !== typed[1]) throw new CommandError('The two passwords differ; nothing was changed')
  return typed?.[0]
}

/** One loop reads both texts: a stream cannot be read again after a loop over it has ended. */
async function typeTwice(
  input: SecretInput,
  prompt: string,
  write: (text: string) => void,
): Promise<[first: string, second: string] | undefined> {
  // Raw mode begins before the prompt. Otherwise characters typed immediately after the prompt could be visible.
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
        } else if (first === undefined) {
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
