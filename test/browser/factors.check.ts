import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { codeAt, stepAt } from '../../src/features/factors/totp.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { fromBase32 } from '../../src/lib/encoding.ts'
import { hasPrograms } from '../support/programs.ts'
import { freePort } from '../support/proxy.ts'
import { scratchFolder } from '../support/scratch.ts'
import { accessibilityProblems } from './accessibility.ts'
import { looks, openPage, screenshot } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

const password = 'correct horse battery'
const STEP = 30 * SECOND
// No browser has passkeys for an IP address.
const port = `${await freePort()}`
const url = `http://localhost:${port}`

describe.skipIf(!hasPrograms('chromium', 'zbarimg'))('the pages of second factors, in Chromium', () => {
  const { register } = pagesPerSuite({ PORT: port, PUBLIC_URL: url })

  /** The secret that a phone reads from a picture of the page. */
  async function scan(page: Page): Promise<Uint8Array> {
    const file = join(scratchFolder('qr'), 'page.png')
    await page.screenshot({ path: file, fullPage: true })
    const read = Bun.spawnSync(['zbarimg', '--quiet', '--raw', file]).stdout.toString().trim()
    expect(read).toStartWith('otpauth://totp/Example:')
    return fromBase32(new URL(read).searchParams.get('secret')!)!
  }

  /** A code of an app, of a step after those that were used. */
  function codesOf(secret: Uint8Array) {
    let last = 0
    return async (): Promise<string> => {
      last = Math.max(last + 1, stepAt(Date.now() - STEP))
      const ahead = last - stepAt(Date.now())
      if (ahead > 1) await Bun.sleep((ahead - 1) * STEP)
      return codeAt(secret, last)
    }
  }

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: an app is added by its picture and used; axe-core finds nothing',
    async ({ locale, colorScheme, width }) => {
      const options = { locale, colorScheme, viewport: { width, height: 800 } }
      const { page, complaints, requests, close } = await openPage(options)
      const examine = async (name: string) => {
        await screenshot(page, `factors-${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
      }
      const go = (path: string) => page.goto(`${url}${path}`)
      const send = (what: string) => page.locator(`form:has(input[name=do][value=${what}]) button`).click()
      const submit = () => page.locator('main form:not([hidden]) button').first().click()
      const name = `fay-${locale}-${width}-${colorScheme}`
      await register(name)
      await go('/sign-in')
      await page.fill('#username', name)
      await page.fill('#password', password)
      await submit()
      await page.waitForURL('**/account')

      await go('/account/security')
      await examine('none')
      await send('totp')
      await page.waitForSelector('.qr')
      await examine('totp')
      const code = codesOf(await scan(page))
      await page.fill('#code', '000000')
      await submit()
      await page.waitForSelector('#code-error')
      await examine('totp-wrong')
      await page.fill('#code', await code())
      await submit()
      await page.waitForSelector('.codes')
      await examine('codes')
      const recovery = await page.locator('.codes code').first().textContent()
      const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[download]').click()])
      expect(file.suggestedFilename()).toEndWith('.txt')
      expect(await Bun.file((await file.path())!).text()).toContain(recovery!)
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.locator('[data-copied] button').first().click()
      await page.locator('[role=status]:not(:empty)').waitFor()
      expect(await page.evaluate('navigator.clipboard.readText()')).toContain(recovery)
      // The page cannot be left by its button before the box is checked.
      await submit()
      expect(await page.locator('.codes').count()).toBe(1)
      await page.check('#saved')
      await submit()
      await page.waitForURL('**/account/security?added=')
      await examine('added')
      await page.locator('.list a').first().click()
      await page.waitForSelector('#name')
      await examine('factor')
      await send('remove')
      await page.waitForSelector('#password-error')
      await examine('factor-refused')

      await page.context().clearCookies()
      await go('/sign-in')
      await page.fill('#username', name)
      await page.fill('#password', password)
      await submit()
      await page.waitForSelector('#otp')
      await examine('second')
      await page.fill('#otp', '000000')
      await submit()
      await page.waitForSelector('#otp-error')
      await examine('second-wrong')
      await page.locator('.links a').first().click()
      await page.waitForSelector('#recovery_code')
      await examine('second-recovery')
      await page.locator('.links a').first().click()
      await page.fill('#otp', await code())
      await submit()
      await page.waitForURL('**/account')
      await go('/sign-in/second')
      await examine('second-dead')

      expect(complaints.filter((text) => !/status of (?:400|401|403|422)/.test(text))).toEqual([])
      expect(requests.filter((one) => !one.startsWith(`${url}/`) && !one.startsWith('data:'))).toEqual([])
      await close()
    },
    180_000,
  )

  /** An authenticator of the browser itself. A key has no PIN and keeps no passkeys. */
  async function pluggedIn(page: Page, kind: 'phone' | 'key') {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    const isPhone = kind === 'phone'
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: isPhone ? 'internal' : 'usb',
        hasResidentKey: isPhone,
        hasUserVerification: isPhone,
        isUserVerified: isPhone,
        automaticPresenceSimulation: true,
        ...(isPhone && { defaultBackupEligibility: true, defaultBackupState: true }),
      },
    })
    return {
      cdp,
      authenticatorId,
      isPresent: (enabled: boolean) =>
        cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
      isVerified: (isUserVerified: boolean) =>
        cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
      credentials: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
      remove: () => cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    }
  }

  const logIn = async (page: Page, name: string) => {
    await page.goto(`${url}/sign-in`)
    await page.fill('#username', name)
    await page.fill('#password', password)
    await page.locator('form[action$="sign-in"] button').click()
  }
  const add = (page: Page, kind: string) => page.locator(`form:has(input[value=${kind}]) button`).click()

  test('a passkey is added, logs in by the button and by the offer of the browser, and proves who one is', async () => {
    const { page, complaints, requests, close } = await openPage({ viewport: { width: 390, height: 800 } })
    const phone = await pluggedIn(page, 'phone')
    await register('pia')
    await logIn(page, 'pia')
    await page.waitForURL('**/account')
    await page.goto(`${url}/account/security`)
    await screenshot(page, 'passkeys-none')
    // The person does not show the finger: the page says so, and the button works again.
    await phone.isVerified(false)
    await add(page, 'passkey')
    await page.locator('form:has(input[value=passkey]) [role=alert]:not([hidden])').waitFor()
    await screenshot(page, 'passkeys-cancelled')
    expect(await accessibilityProblems(page)).toEqual([])
    await phone.isVerified(true)
    await add(page, 'passkey')
    await page.waitForSelector('.codes')
    expect(await phone.credentials()).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }])
    await page.check('#saved')
    await page.locator('form button').last().click()
    await page.waitForURL('**/account/security?added=')
    await screenshot(page, 'passkeys-added')
    // The device has one already.
    await add(page, 'passkey')
    await page.locator('form:has(input[value=passkey]) [role=alert]:not([hidden])').waitFor()
    await screenshot(page, 'passkeys-exists')

    await page.context().clearCookies()
    // By the button, while the browser's own offer waits.
    await phone.isPresent(false)
    await page.goto(`${url}/account/profile`)
    await page.waitForSelector('form[data-offer]:not([hidden])')
    await screenshot(page, 'passkeys-sign-in')
    expect(await accessibilityProblems(page)).toEqual([])
    await phone.isPresent(true)
    await page.locator('form[data-offer] button').click()
    await page.waitForURL('**/account/profile')

    // By the offer: nobody presses anything on the page.
    await page.context().clearCookies()
    await page.goto(`${url}/account/address`)
    await page.waitForURL('**/account/address')

    // As the second factor after the password.
    await page.context().clearCookies()
    await phone.isPresent(false)
    await logIn(page, 'pia')
    await page.waitForURL('**/sign-in/second?**')
    await screenshot(page, 'passkeys-second')
    expect(await accessibilityProblems(page)).toEqual([])
    await phone.isPresent(true)
    await page.locator('form[data-webauthn] button').click()
    await page.waitForURL('**/account')

    expect(complaints.filter((text) => !/status of (?:400|401|403|422)/.test(text))).toEqual([])
    expect(requests.filter((one) => !one.startsWith(`${url}/`) && !one.startsWith('data:'))).toEqual([])
    await close()
  }, 120_000)

  test('a security key without a PIN is a second factor, and no way to log in alone', async () => {
    const { page, close } = await openPage()
    const key = await pluggedIn(page, 'key')
    await register('kim')
    await logIn(page, 'kim')
    await page.waitForURL('**/account')
    await page.goto(`${url}/account/security`)
    await add(page, 'security_key')
    await page.waitForSelector('.codes')
    expect(await key.credentials()).toMatchObject([{ isResidentCredential: false }])
    await page.context().clearCookies()
    await logIn(page, 'kim')
    await page.waitForURL('**/sign-in/second?**')
    await page.locator('form[data-webauthn] button').click()
    await page.waitForURL('**/account')
    // A signature that is wrong, and a key that says nothing of the presence of its owner.
    for (const wrong of [{ isBogusSignature: true }, { isBadUP: true }]) {
      await page.context().clearCookies()
      await logIn(page, 'kim')
      await page.waitForURL('**/sign-in/second?**')
      const { cdp, authenticatorId } = key
      await cdp.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...wrong })
      await page.locator('form[data-webauthn] button').click()
      await page.locator('.notice[role=alert], form [role=alert]:not([hidden])').first().waitFor()
      await cdp.send('WebAuthn.setResponseOverrideBits', {
        authenticatorId,
        isBogusSignature: false,
        isBadUP: false,
      })
    }
    await screenshot(page, 'passkeys-second-wrong')
    await page.locator('form[data-webauthn] button').click()
    await page.waitForURL('**/account')
    await close()
  }, 120_000)

  test('without WebAuthn or scripts, pages say so and the other ways work', async () => {
    const { page, close } = await openPage({ javaScriptEnabled: false })
    await register('noa')
    await logIn(page, 'noa')
    await page.goto(`${url}/account/security`)
    expect(await page.locator('form[data-webauthn]').first().isVisible()).toBe(false)
    expect(await page.locator('noscript').first().isVisible()).toBe(true)
    await page.locator('form:has(input[value=totp]) button').click()
    const code = codesOf(await scan(page))
    await page.fill('#code', await code())
    await page.locator('main form button').first().click()
    await page.waitForSelector('.codes')
    await screenshot(page, 'codes-without-script')
    await page.check('#saved')
    await page.locator('main form button').last().click()
    await page.waitForURL('**/account/security?added=')
    await page.context().clearCookies()
    await logIn(page, 'noa')
    await page.fill('#otp', await code())
    await page.locator('main form button').first().click()
    await page.waitForURL('**/account')
    await close()
  }, 120_000)
})
