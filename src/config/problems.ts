/** One problem of the configuration. `message` never contains a secret. */
export interface ConfigProblem {
  /** The name of the setting, as it was written; absent for a problem of a whole file, or of a line without a name. */
  key?: string
  /** The file, with the line if there is one; absent for the process environment. */
  source?: string
  message: string
}

/** `KEY (file:line): message`, for a person. */
export function problemLine({ key, source, message }: ConfigProblem): string {
  const where = key !== undefined && source !== undefined ? `${key} (${source})` : (key ?? source)
  return where === undefined ? message : `${where}: ${message}`
}

/** The configuration cannot be used. `message` lists every problem, one a line, and may be shown as it is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(readonly problems: readonly ConfigProblem[]) {
    const title =
      problems.length === 1 ? 'The configuration has a problem' : `The configuration has ${problems.length} problems`
    super([`${title}:`, ...problems.map((problem) => `  ${problemLine(problem)}`)].join('\n'))
  }
}

const SHOWN = 80

/** A value that is safe to show: quoted, cut at 80 characters, without the credentials of an address. */
export function shown(text: string): string {
  const safe = text.replace(/\/\/\S*@/g, '//********@')
  const characters = [...safe]
  return JSON.stringify(characters.length > SHOWN ? `${characters.slice(0, SHOWN).join('')}…` : safe)
}
