/** How many characters of a User-Agent header are parsed. The package `bowser` takes long for some long headers. */
const READ = 256

/**
 * The browser and system of a User-Agent header, such as `Firefox on macOS`. The result is empty if the header names
 * neither a browser nor a system.
 */
export function deviceName(userAgent: string | null): string {
  if (userAgent === null || userAgent === '') return ''
  const read = userAgent.slice(0, READ)
  // `bowser` is loaded at the first call. Loading its hundred patterns when the server starts would slow the start.
  const { browser, os } = (require('bowser') as typeof import('bowser')).parse(read)
  const program = browser.name || /^[A-Za-z][\w .-]{0,30}(?=\/)/.exec(read)?.[0]
  if (program && os.name) return `${program} on ${os.name}`
  return program || os.name || ''
}
