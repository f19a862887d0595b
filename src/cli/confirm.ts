import { createInterface } from 'node:readline/promises'

/**
 * Asks a yes-or-no question at a terminal. Only the answers `y` and `yes` mean yes.
 * @returns undefined when `input` is not a terminal, so that a script never waits for an answer
 */
export async function confirm(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  question: string,
): Promise<boolean | undefined> {
  if (!input.isTTY) return undefined
  const lines = createInterface({ input, output })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}
