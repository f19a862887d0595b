import { toBase64Url } from '../lib/encoding.ts'
import { sha256 } from '../lib/hash.ts'
import codes from './codes.js' with { type: 'text' }
import passkey from './passkey.js' with { type: 'text' }
import submit from './submit.js' with { type: 'text' }

const texts = {
  /** Sends the form of the page at once. */
  submit,
  /** Uses and makes passkeys and security keys, which HTML alone cannot do. */
  passkey,
  /** Copies and prints the recovery codes. */
  codes,
}

/** A script file that a page loads. Everything but passkeys works without one. */
export type ScriptName = keyof typeof texts

/** The content of each file, by its name for browsers. The name has the hash of the content, so browsers keep the file. */
export const scriptFiles: ReadonlyMap<string, string> = new Map(
  Object.entries(texts).map(([name, text]) => [fileOf(name, text), text]),
)

/** Returns the name for browsers of a script file. */
export const scriptFile = (name: ScriptName): string => fileOf(name, texts[name])

function fileOf(name: string, text: string): string {
  return `${name}-${toBase64Url(sha256(text)).slice(0, 16)}.js`
}
