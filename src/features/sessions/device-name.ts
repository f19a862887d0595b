/** A User-Agent header in words a person knows, such as `Firefox on macOS`; null where it tells nothing. */
export function deviceName(userAgent: string | null): string | null {
  if (userAgent === null || userAgent === '') return null
  // Loaded for the first session that is shown: a start would evaluate its hundred patterns for nothing.
  const { browser, os } = (require('bowser') as typeof import('bowser')).parse(userAgent)
  const program = browser.name || /^[A-Za-z][\w .-]{0,30}(?=\/)/.exec(userAgent)?.[0]
  if (program && os.name) return `${program} on ${os.name}`
  return program || os.name || null
}
