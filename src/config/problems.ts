/**
 * One problem of the configuration. `message` never contains a secret that is in use; it may suggest a new SECRET_KEY.
 */
export interface ConfigProblem {
  /**
   * The name of the setting as the operator wrote it; absent for a problem of a whole file, or of a line without a
   * name.
   */
  key?: string
  /** The path of the file, with the number of the line when there is one; absent for the process environment. */
  source?: string
  message: string
}

/** Formats a problem as `KEY (file:line): message`, without the parts that are absent. */
export function problemLine({ key, source, message }: ConfigProblem): string {
  const where = key !== undefined && source !== undefined ? `${key} (${source})` : (key ?? source)
  return where === undefined ? message : `${where}: ${message}`
}

/**
 * Thrown when the configuration cannot be used. The message lists every problem, one on each line. It never contains a
 * secret that is in use, so the terminal may show the message.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(readonly problems: readonly ConfigProblem[]) {
    const title =
      problems.length === 1 ? 'The configuration has a problem' : `The configuration has ${problems.length} problems`
    super([`${title}:`, ...problems.map((problem) => `  ${problemLine(problem)}`)].join('\n'))
  }
}

const SHOWN = 80

/** Makes a value safe to show: quoted, cut after `SHOWN` characters, and without the user and password of a URL. */
export function shown(text: string): string {
  const safe = text.replace(/\/\/\S*@/g, '//********@')
  const characters = [...safe]
  return JSON.stringify(characters.length > SHOWN ? `${characters.slice(0, SHOWN).join('')}…` : safe)
}
