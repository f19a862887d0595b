/**
 * The browser and system of a User-Agent header, such as `Firefox on macOS`; null if the header names no program or
 * system.
 */
export function deviceName(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === '') return null
  // The package is loaded for the first list of sessions. Evaluating its hundred patterns at the start would slow the
  // start.
  const { browser, os } = (require('bowser') as typeof import('bowser')).parse(userAgent)
  const program = browser.name || /^[A-Za-z][\w .-]{0,30}(?=\/)/.exec(userAgent)?.[0]
  if (program && os.name) return `${program} on ${os.name}`
  return program || os.name || null
}
