import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

export interface WatchedPage {
  page: Page
  /** The address of every request that left the browser, in order. */
  requests: string[]
  /** What the browser complained of: errors and warnings of the console, broken scripts, violations of the policy. */
  complaints: string[]
  close(): Promise<void>
}

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page in the Chromium of the PATH, in a profile of its own, that remembers what it asked for and what went wrong. */
export async function openPage(options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const browser = await chromium.launch({ executablePath: Bun.which('chromium') ?? 'chromium', args })
  const context = await browser.newContext(options)
  const requests: string[] = []
  const complaints: string[] = []
  context.on('request', (request) => requests.push(request.url()))
  await reportViolations(context, complaints)
  const page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  return { page, requests, complaints, close: () => browser.close() }
}

/** The event tells of violations that the console keeps quiet about, such as those of a report-only policy. */
async function reportViolations(context: BrowserContext, complaints: string[]): Promise<void> {
  await context.exposeFunction('reportViolation', (text: string) => complaints.push(text))
  await context.addInitScript(`
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
      reportViolation(effectiveDirective + ' forbids ' + blockedURI))
  `)
}

/** For a person to look at: `KEYWARD_SCREENSHOTS` names a folder; without it nothing is written. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.KEYWARD_SCREENSHOTS
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}
