import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

export interface WatchedPage {
  page: Page
  /** The address of every request that left the browser, in order. */
  requests: string[]
  /** Errors and warnings of the console, exceptions of scripts, violations of the policy. */
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

/** A page in the Chromium of the PATH with its own profile, which records requests and errors. */
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

/** The event reports violations that the console omits, such as those of a report-only policy. */
async function reportViolations(context: BrowserContext, complaints: string[]): Promise<void> {
  await context.exposeFunction('reportViolation', (text: string) => complaints.push(text))
  await context.addInitScript(`
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
      reportViolation(effectiveDirective + ' forbids ' + blockedURI))
  `)
}

const phone = { width: 320, colorScheme: 'light' } as const
const desktop = { width: 1280, colorScheme: 'dark' } as const

/** How a page is looked at: two languages, two widths, light and dark. */
export const looks = [
  { locale: 'de', ...phone },
  { locale: 'en', ...desktop },
  // The other looks are for the eye.
  ...(process.env.KEYWARD_SCREENSHOTS
    ? [
        { locale: 'en', ...phone },
        { locale: 'ja', ...phone },
        { locale: 'fr', ...phone },
        { locale: 'es', ...desktop },
        { locale: 'de', width: 1280, colorScheme: 'light' } as const,
        { locale: 'en', width: 390, colorScheme: 'dark' } as const,
      ]
    : []),
]

/** Saves a screenshot for a person to look at, if `KEYWARD_SCREENSHOTS` names a folder. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.KEYWARD_SCREENSHOTS
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}
