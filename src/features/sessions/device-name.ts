/** How many characters of a User-Agent header are read. The patterns of `bowser` take long for some long headers. */
const READ = 256

/**
 * The browser and system of a User-Agent header, such as `Firefox on macOS`; empty if the header names neither. The
 * session stores the name at its login.
 */
export function deviceName(userAgent: string | null): string {
  if (userAgent === null || userAgent === '') return ''
  const read = userAgent.slice(0, READ)
  // The package is loaded for the first name. Evaluating its hundred patterns at the start would slow the start.
  const { browser, os } = (require('bowser') as typeof import('bowser')).parse(read)
  const program = browser.name || /^[A-Za-z][\w .-]{0,30}(?=\/)/.exec(read)?.[0]
  if (program && os.name) return `${program} on ${os.name}`
  return program || os.name || ''
}
